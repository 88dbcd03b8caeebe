"""Rules by which traces are chosen."""

import uuid
from collections import Counter
from typing import Any

import pytest

import hansei
from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.items import read_items, remove_item
from hansei.feedback.labeling.labeling_session import AddedItems
from hansei.feedback.labeling.rules import lasting_rules, rule_of
from hansei.feedback.labeling.sampling import apply_rule, preview_rule
from hansei.feedback.search.errors import FilterError
from hansei.feedback.web.tables import Tables

from ..collector.processes import Serving  # noqa: TID252  The tests are no package whose name could be written out.
from .conftest import SECOND, START, Api, call, send, until


def fresh() -> str:
    return uuid.uuid4().hex[:12]


def said(trace_id: str, name: str, value: Any, source: str, **more: Any) -> dict[str, Any]:
    return {"trace_id": trace_id, "name": name, "value": value, "source": {"type": source, "id": "x"}, **more}


def applied(store: Tables, session_id: str, rule: dict[str, Any]) -> list[str]:
    """The traces that a rule adds, which must be those that it promised."""
    made = rule_of(rule)
    promised = preview_rule(store.query, made, session_id=session_id)
    before = {item.trace_id for item in read_items(store.query, session_id)}
    done = apply_rule(store, made, session_id)
    added = [item for item in read_items(store.query, session_id) if item.trace_id not in before]
    assert (done.added, done.already_there, done.unknown) == (len(added), 0, 0)
    assert promised.count == len(added)
    assert promised.trace_ids == [item.trace_id for item in added][:10]
    assert {item.reason for item in added} <= {made.reason()}
    return [item.trace_id for item in added]


def test_by_what_was_said(serving: Serving, api: Api, store: Tables) -> None:
    """Negative feedback is a person's, a disagreement needs a judge and a person, a low score is anyone's; all as it
    stands now."""
    user, name = fresh(), fresh()
    calls = [call(user=user, start=START + number * SECOND) for number in range(8)]
    of = send(serving, *calls)
    api.say(
        said(of[0], name, False, "HUMAN"),
        said(of[1], name, False, "LLM_JUDGE"),
        said(of[2], name, True, "HUMAN"),
        said(of[2], name, False, "LLM_JUDGE"),
        said(of[3], name, True, "HUMAN"),
        said(of[3], name, 1, "LLM_JUDGE"),
        said(of[4], name, "good", "HUMAN"),
        said(of[4], name, "bad", "LLM_JUDGE"),
        said(of[5], name, 0.4, "CODE"),
        said(of[6], name, True, "HUMAN"),
        said(of[6], f"{name}-other", False, "LLM_JUDGE"),
        said(of[7], name, 0.6, "CODE"),
    )
    only = {"filter": f"user = '{user}'"}
    assert applied(store, fresh(), {"kind": "negative_feedback", **only}) == [of[0]]
    assert applied(store, fresh(), {"kind": "negative_feedback", "name": "nothing", **only}) == []
    assert applied(store, fresh(), {"kind": "disagreement", **only}) == [of[4], of[2]]
    assert applied(store, fresh(), {"kind": "disagreement", "name": f"{name}-other", **only}) == []
    low = {"kind": "low_score", "name": name, "threshold": 0.5, **only}
    assert applied(store, fresh(), low) == [of[5], of[2], of[1], of[0]]
    retracted = api.done("GET", f"/assessments?trace_id={of[0]}")["items"][0]["assessment_id"]
    api.done("DELETE", f"/assessments/{retracted}?trace_id={of[0]}")
    serving.wait_stored()
    assert applied(store, fresh(), {"kind": "negative_feedback", **only}) == []


def test_maximum_and_time(serving: Serving, store: Tables) -> None:
    """A maximum is of all that a rule ever adds to a session, the newest first; a time is when a trace began."""
    user, session_id = fresh(), fresh()
    of = send(serving, *(call(user=user, start=START + number * SECOND) for number in range(5)))
    rule: dict[str, Any] = {"kind": "filter", "filter": f"user = '{user}'"}
    assert applied(store, session_id, {**rule, "maximum": 2}) == [of[4], of[3]]
    assert applied(store, session_id, {**rule, "maximum": 2}) == []
    remove_item(store, session_id, f"t-{of[4]}")
    assert applied(store, session_id, {**rule, "maximum": 3}) == [of[2]]
    assert applied(store, session_id, rule) == [of[1], of[0]]
    times = {"from": (START + SECOND) // 1_000_000, "to": "2025-11-20T12:00:03Z"}
    assert applied(store, fresh(), {**rule, **times}) == [of[2], of[1]]
    assert applied(store, fresh(), {**rule, "since": "1d"}) == []


def test_random(serving: Serving, store: Tables) -> None:
    """A random draw is the same for whoever draws, about as large as its share, and favours what has the weight."""
    user = fresh()
    calls = [call(user=user, tokens=10_000 if number % 10 == 0 else 1) for number in range(400)]
    send(serving, *calls)
    heavy = {each.trace_id for each in calls if each.tokens > 1}
    only = {"filter": f"user = '{user}'"}
    share = applied(store, fresh(), {"kind": "random", "share": 0.25, **only})
    assert 60 <= len(share) <= 140
    assert applied(store, fresh(), {"kind": "random", "share": 0.25, **only}) == share
    even = applied(store, fresh(), {"kind": "random", "maximum": 100, **only})
    assert 2 <= len(heavy.intersection(even)) <= 20
    weighted = applied(store, fresh(), {"kind": "random", "weight": "tokens", "maximum": 40, **only})
    assert len(heavy.intersection(weighted)) >= 36
    for weight, count in (("duration", 400), ("cost", 0)):
        assert preview_rule(store.query, rule_of({"kind": "random", "weight": weight, **only})).count == count


def test_stratified(serving: Serving, store: Tables) -> None:
    """A stratified draw takes so many of each value, and when it is repeated fills only what is not full."""
    user, session_id = fresh(), fresh()
    first = [call(user=user, service=service) for service, count in (("a", 9), ("b", 2)) for _ in range(count)]
    send(serving, *first)
    rule = {"kind": "stratified", "by": "service", "each": 4, "filter": f"user = '{user}'"}

    def services(found: list[str], *calls: list[Any]) -> Counter[str]:
        known = {each.trace_id: each.service for some in calls for each in some}
        return Counter(known[trace_id] for trace_id in found)

    assert services(applied(store, session_id, rule), first) == {"a": 4, "b": 2}
    assert applied(store, session_id, rule) == []
    second = [call(user=user, service=service) for service in ("a", "b", "b", "b", "c") for _ in range(3)]
    send(serving, *second)
    assert services(applied(store, session_id, rule), first, second) == {"b": 2, "c": 3}
    for by in ("model", "provider", "user", "session", "name", "status"):
        assert preview_rule(store.query, rule_of({**rule, "by": by, "each": 3})).count == 3


@pytest.mark.usefixtures("python")
def test_kept_filled(serving: Serving, api: Api, question: str, name: str) -> None:
    """A rule of a session keeps adding what it chooses while the session is open, also of old traces of which something
    is said only now, and not what was removed."""
    user = fresh()
    rule = {"kind": "negative_feedback", "filter": f"user = '{user}'", "from": START // 1_000_000}
    first, second = send(serving, *(call(user=user) for _ in range(2)))
    session = hansei.create_labeling_session(name, label_schemas=[question], rules=[rule])
    assert session.preview_rule(rule) == 0
    api.say(said(first, "ok", False, "HUMAN"))

    items = f"/labeling-sessions/{session.labeling_session_id}/items"

    def there() -> list[str]:
        return [each["trace_id"] for each in api.done("GET", items)["items"]]

    until(lambda: there() == [first], "the session to be filled")
    api.done("DELETE", f"{items}/t-{first}")
    session.close()
    api.say(said(second, "ok", False, "HUMAN"))
    assert session.preview_rule(rule) == 1
    assert session.add_by_rule(rule).added == AddedItems(1, 0, 0)
    assert session.add_by_rule(rule).added == AddedItems(0, 0, 0)
    assert there() == [second]


def test_mistakes() -> None:
    """A rule that means nothing is refused in a line that names the part and what would be allowed."""
    for rule, said_of_it in (
        ("negative_feedback", "rule: 'negative_feedback' is not an object with a kind"),
        ({}, "kind: None is not one of negative_feedback,"),
        ({"kind": "low_score", "name": "x"}, "threshold: there is none; a rule of kind low_score needs name and"),
        ({"kind": "low_score", "name": "x", "threshold": "5"}, "threshold: '5' is not a number"),
        ({"kind": "random", "by": "model"}, "by: a rule of kind random has no such part; there are weight, share,"),
        ({"kind": "random", "share": 2}, "share: 2 is not a number above 0 and up to 1"),
        ({"kind": "random", "weight": "luck"}, "weight: 'luck' is not one of duration, tokens, cost"),
        ({"kind": "stratified", "by": "model", "each": 0}, "each: 0 is not a whole number from 1 to 100000"),
        ({"kind": "filter", "filter": ""}, "filter: there is none"),
        ({"kind": "negative_feedback", "since": "7 days"}, "since: '7 days' is not a length of time; write 30m,"),
        ({"kind": "negative_feedback", "since": "1d", "from": 0}, "since: there is a from too"),
        ({"kind": "negative_feedback", "from": 5, "to": 5}, "to: 5 is not after from, 5"),
        ({"kind": "negative_feedback", "maximum": 2.5}, "maximum: 2.5 is not a whole number"),
    ):
        with pytest.raises(InvalidLabeling, match=said_of_it):
            rule_of(rule)
    with pytest.raises(FilterError, match="filter: "):
        rule_of({"kind": "filter", "filter": "nonsense = 1"})
    with pytest.raises(InvalidLabeling, match="share: there is none, and no maximum"):
        lasting_rules([{"kind": "random"}])
