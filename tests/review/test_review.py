"""The review app: a link, a start, items one after the other, thanks; in a browser and over HTTP."""

import json
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import BETTER, FACTS, FAULTS, HELPFUL, SCORE, TONE, Visit, Work, ask, insert_traces, question_span, until

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from ..collector.processes import Serving  # noqa: TID252

ANA, BEN = "ana@example.com", "ben@example.com"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
Make = Callable[..., Work]


def begin(page: Page) -> str:
    """From the start page to the first item; answers its id."""
    page.keyboard.press("Enter")
    return at_item(page)


def at_item(page: Page, other_than: str = "") -> str:
    """The id of the item at hand, once there is one."""
    page.wait_for_function(
        "other => document.body.dataset.item && document.body.dataset.item !== other", arg=other_than
    )
    return str(page.evaluate("document.body.dataset.item"))


def state_is(page: Page, text: str) -> None:
    """What the page says of what was typed."""
    expect(page.locator("#state")).to_have_text(text)


# --- working ---


def test_keyboard_alone(work: Make, visit: Visit, client: "Client") -> None:
    """A reviewer labels 20 items with the keyboard alone; all that was answered is in the ledger."""
    made = work({"helpful": HELPFUL, "tone": TONE, "score": SCORE}, traces=20)
    page = visit(made.links[ANA])
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello Ana")
    expect(page.get_by_text("20 conversations are waiting for you.")).to_be_visible()
    item = begin(page)
    for number in range(20):
        page.keyboard.press("1" if number % 2 else "2")
        page.keyboard.press("3")
        page.keyboard.type(str(number % 10))
        page.keyboard.press("Control+Enter")
        if number < 19:
            item = at_item(page, item)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ana!")
    expect(page.get_by_text("20 done")).to_be_visible()
    labels = made.wait_for_labels(client, 60)
    assert len(labels) == 60
    assert {trace for trace, *_ in labels} == set(made.traces)
    assert {who for _, who, *_ in labels} == {ANA}
    values: dict[str, list[Any]] = {}
    for _, _, name, value in labels:
        values.setdefault(name.rpartition("_")[0], []).append(value)
    assert sorted(values["score"]) == sorted([*range(10)] * 2)
    assert (values["helpful"].count(True), values["tone"]) == (10, ["cold"] * 20)


def test_every_input(work: Make, visit: Visit, client: "Client") -> None:
    """Each kind of question takes its answer; what is missing is told; Enter moves on and hands in at the end."""
    asked = {"helpful": HELPFUL, "faults": FAULTS, "better": BETTER, "facts": FACTS, "score": SCORE, "tone": TONE}
    made = work(asked, traces=1)
    page = visit(made.links[ANA])
    begin(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".problem").nth(0)).to_have_text("Please choose an answer.")
    expect(page.locator(".problem").nth(4)).to_have_text("Please enter a number.")
    page.keyboard.press("2")
    for key in ("1", "3", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("Say **when**.")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("two months")
    page.keyboard.press("Enter")
    page.keyboard.type("citric acid")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type("11")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".problem").nth(4)).to_have_text("Give a number from 0 to 10.")
    expect(page.locator("#question-4")).to_have_class(re.compile("active"))
    page.keyboard.press("Control+A")
    page.keyboard.type("7.5")
    page.locator("#question-0 summary").click()
    page.locator("[name=comment-0]").fill("It is vague.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ana!")
    labels = {name.rpartition("_")[0]: value for _, _, name, value in made.wait_for_labels(client, 6)}
    assert labels == {
        "helpful": False, "faults": ["made up", "off topic"], "better": "Say **when**.",
        "facts": ["two months", "citric acid"], "score": 7.5, "tone": "warm",
    }  # fmt: skip
    (row,) = client.query(
        "SELECT Rationale, SourceType FROM feedback WHERE LabelingSessionId = {id:String} AND Name LIKE 'helpful%'",
        {"id": made.session_id},
    ).result_rows
    assert row == ("It is vague.", "HUMAN")


def test_back_change_skip_flag(work: Make, visit: Visit, client: "Client") -> None:
    """Keys go back to an answer and change it, skip an item, and tell the organiser something."""
    made = work({"helpful": HELPFUL}, traces=3)
    page = visit(made.links[ANA])
    first = begin(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    second = at_item(page, first)
    page.keyboard.press("b")
    assert at_item(page, second) == first
    expect(page.get_by_text("You have answered this one.")).to_be_visible()
    expect(page.locator("input[value=true]")).to_be_checked()
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    assert at_item(page, first) == second
    page.keyboard.press("f")
    page.keyboard.type("The answer is cut off.")
    page.keyboard.press("Control+Enter")
    state_is(page, "Thank you. The organiser will see your note.")
    expect(page.locator("#flagged")).to_have_text("Your note: The answer is cut off.")
    page.keyboard.press("s")
    page.keyboard.type("not my field")
    page.keyboard.press("Enter")
    at_item(page, second)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    until(lambda: [value for *_, value in made.labels(client)] == [False], "the changed answer")
    (row,) = client.query(
        "SELECT ItemId, State, Flag FROM labeling_work FINAL WHERE SessionId = {id:String} AND Flag != ''",
        {"id": made.session_id},
    ).result_rows
    assert row == (second, "skipped", "The answer is cut off.\nnot my field")


def test_without_script(work: Make, visit: Visit, client: "Client") -> None:
    """Without JavaScript the form is filled in, corrected and handed in, and an item can be skipped."""
    made = work({"helpful": HELPFUL, "facts": FACTS, "score": SCORE}, traces=2)
    page = visit(made.links[ANA], script=False)
    page.get_by_role("link", name="Start").click()
    page.locator("input[value=true]").check()
    page.locator("[name=answer-1]").nth(0).fill("two months")
    page.get_by_role("button", name="Save and next").click()
    expect(page.locator("#question-2-problem")).to_have_text("Please enter a number.")
    expect(page.locator("[name=answer-1]").nth(0)).to_have_value("two months")
    page.locator("[name=answer-2]").fill("4")
    page.get_by_role("button", name="Save and next").click()
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ana!")
    assert sorted(map(str, (value for *_, value in made.wait_for_labels(client, 3)))) == ["4", "True", "['two months']"]


# --- nothing is lost ---


def test_connection_is_cut(work: Make, visit: Visit, client: "Client") -> None:
    """Offline, answers are kept and a submission waits; online again, it goes out and on by itself."""
    made = work({"helpful": HELPFUL, "better": BETTER}, traces=2)
    page = visit(made.links[ANA])
    first = begin(page)
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.keyboard.type("Be brief.")
    state_is(page, "Offline: kept on this device")
    page.keyboard.press("Control+Enter")
    state_is(page, "Offline: waiting to be sent. It goes out by itself.")
    page.context.set_offline(False)
    at_item(page, first)
    assert [value for *_, value in made.wait_for_labels(client, 2)] == ["Be brief.", True]


def test_tab_is_closed(work: Make, visit: Visit) -> None:
    """What was typed a moment before a tab was closed is there when the link is opened again, by any browser."""
    made = work({"helpful": HELPFUL, "better": BETTER}, traces=2)
    page = visit(made.links[ANA])
    item = begin(page)
    page.keyboard.press("2")
    page.keyboard.type("Half a sent")
    page.close(run_before_unload=True)
    address = f"{made.links[ANA]}/items/{item}"
    until(lambda: "Half a sent" in ask(made.serving.ui + address).text, "the draft to be at the server")
    again = visit(made.links[ANA])
    assert begin(again) == item
    expect(again.locator("[name=answer-1]")).to_have_value("Half a sent")
    expect(again.locator("input[value=false]")).to_be_checked()


def test_tab_is_closed_offline(work: Make, visit: Visit) -> None:
    """What could not be sent when a tab was closed goes out as soon as the link is opened again in that browser."""
    made = work({"better": BETTER}, traces=2)
    page = visit(made.links[ANA])
    item = begin(page)
    context = page.context
    context.set_offline(True)
    page.keyboard.type("Kept here.")
    state_is(page, "Offline: kept on this device")
    page.close()
    context.set_offline(False)
    address = f"{made.links[ANA]}/items/{item}"
    assert "Kept here." not in ask(made.serving.ui + address).text
    context.new_page().goto(made.links[ANA])
    until(lambda: "Kept here." in ask(made.serving.ui + address).text, "the draft to be at the server")


def test_lease_is_lost(work: Make, visit: Visit) -> None:
    """An open page tells so before its lease ends; who comes too late is told kindly, keeps the draft, and goes on."""
    made = work({"better": BETTER}, traces=1, people=[ANA, BEN], lease_minutes=0.02)
    page = visit(made.links[ANA])
    item = begin(page)
    page.wait_for_event("response", lambda answer: answer.url.endswith("/heartbeat"))
    page.context.set_offline(True)
    page.keyboard.type("Too late.")
    page.keyboard.press("Control+Enter")
    state_is(page, "Offline: waiting to be sent. It goes out by itself.")
    at = f"{made.serving.ui}{made.links[BEN]}/next"
    until(lambda: ask(at).url.endswith(item), "the lease to run out")
    page.context.set_offline(False)
    expect(page.get_by_text("This one is with a colleague now")).to_be_visible()
    address = f"{made.serving.ui}{made.links[ANA]}/items/{item}"
    until(lambda: "Too late." in ask(address).text, "the draft to be at the server")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ana!")


def test_heartbeat(work: Make, client: "Client") -> None:
    """A page that is open keeps the lease, and counts the seconds in view."""
    made = work({"better": BETTER}, traces=1)
    at = ask(f"{made.serving.ui}{made.links[ANA]}/next").url
    first = ask(f"{at}/heartbeat", {"seconds": 30.5}).json()["lease_until"]
    assert ask(f"{at}/heartbeat", {"seconds": 31}).json()["lease_until"] >= first
    assert ask(f"{at}/submit", {"answers": {"0": {"value": "Fine."}}, "seconds": 61.5}).status == 200
    assert client.query(
        "SELECT State, Seconds FROM labeling_work FINAL WHERE SessionId = {id:String}", {"id": made.session_id}
    ).result_rows == [("done", 61.5)]


# --- who comes in ---


@pytest.mark.parametrize("language", ["en", "ja"])
def test_links_that_are_not_good(work: Make, client: "Client", language: str) -> None:
    """Altered, taken back, expired, or of a closed session: one page that says why, and nothing of the work."""
    made = work({"helpful": HELPFUL}, people=[ANA, BEN, "cleo"])
    texts = {
        "en": ("This link does not work", "This link has expired", "This review is finished"),
        "ja": ("このリンクは使えません", "有効期限が切れています", "このレビューは終了しました"),
    }[language]
    link = made.links[ANA]
    client.command(
        "INSERT INTO labeling_reviewers (SessionId, Reviewer, Role, LinkHash, ExpiresAt, Deleted, ChangedBy, Written) "
        "SELECT SessionId, Reviewer, Role, LinkHash, now() - 60, 0, '', Written + 1 FROM labeling_reviewers FINAL "
        f"WHERE SessionId = '{made.session_id}' AND Reviewer = 'cleo'"
    )
    assert made.api(f"/reviewers/{BEN}", method="DELETE").status == 204
    altered = link[:-1] + ("A" if link[-1] != "A" else "B")
    _refused(made, altered, 403, texts[0], language)
    _refused(made, "/review/short", 403, texts[0], language)
    _refused(made, made.links[BEN], 403, texts[0], language)
    _refused(made, made.links["cleo"], 410, texts[1], language)
    assert made.api("", {"status": "closed"}, "PATCH").status == 200
    until(lambda: ask(made.serving.ui + link).status == 410, "the session to be closed")
    _refused(made, link, 410, texts[2], language)


def _refused(made: Work, link: str, status: int, text: str, language: str) -> None:
    item = f"/items/t-{made.traces[0]}"
    for path, body in (("", None), ("/next", None), (item, None), (f"{item}/draft", {}), (f"{item}/submit", {})):
        answer = ask(made.serving.ui + link + path, body, Accept_Language=language)
        assert (answer.status, text in answer.text) == (status, True), (path, answer.text)
        assert not re.search("descaled|Support answers|About helpful|ana@example", answer.text)
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_guessing_is_slowed(work: Make) -> None:
    """Who tries many links is told to wait, and good links go on being good."""
    made = work({"helpful": HELPFUL})
    statuses = [ask(f"{made.serving.ui}/review/{number:043d}").status for number in range(60)]
    assert set(statuses) <= {403, 429}
    assert statuses[-1] == 429
    assert ask(made.serving.ui + made.links[ANA]).status == 200


def test_other_sites_send_nothing(work: Make) -> None:
    """What another site's page sends is refused, also with a good link; an organiser's session is not asked for."""
    made = work({"helpful": HELPFUL})
    url = ask(made.serving.ui + made.links[ANA] + "/next").url
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert ask(f"{url}/submit", {"answers": {"0": {"value": True}}}, **headers).status == 403
    own = ask(f"{url}/submit", {"answers": {"0": {"value": True}}, "revision": 5}, Sec_Fetch_Site="same-origin")
    assert own.status == 200
    assert own.json()["next"].startswith(made.links[ANA])


def test_only_own_items(work: Make) -> None:
    """A link opens the items of its reviewer in its session, and no others."""
    one, other = work({"helpful": HELPFUL}), work({"helpful": HELPFUL})
    item = ask(one.serving.ui + one.links[ANA] + "/next").url.rpartition("/")[2]
    answer = ask(f"{one.serving.ui}{other.links[ANA]}/items/{item}")
    assert (answer.status, "descaled" in answer.text) == (404, False)


@pytest.mark.parametrize("items", [60, pytest.param(200, marks=pytest.mark.soak)])
def test_two_reviewers_an_item(work: Make, client: "Client", items: int) -> None:
    """Two at once, items of two reviewers each: every item has two labels, of two people; twice sent is once."""
    made = work({"helpful": HELPFUL}, traces=items, people=[ANA, BEN], reviewers_per_item=2)
    counted: dict[str, int] = {}

    def label_all(who: str) -> None:
        at = ask(made.serving.ui + made.links[who] + "/next").url
        while "/items/" in at:
            content = {"answers": {"0": {"value": who == ANA, "comment": ""}}, "revision": 1, "seconds": 2}
            answer = ask(f"{at}/submit", content)
            assert answer.status == 200, answer.text
            counted[who] = counted.get(who, 0) + 1
            if counted[who] % 20 == 0:
                assert ask(f"{at}/submit", content).status == 200
            at = made.serving.ui + answer.json()["next"]

    people = [threading.Thread(target=label_all, args=(who,)) for who in (ANA, BEN)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert counted == {ANA: items, BEN: items}
    labels = made.wait_for_labels(client, 2 * items)
    assert sorted((trace, who, value) for trace, who, _, value in labels) == sorted(
        (trace, who, who == ANA) for trace in made.traces for who in (ANA, BEN)
    )


# --- what is read ---


def test_conversation(work: Make, visit: Visit, client: "Client") -> None:
    """Documents, what was looked up, and thoughts are folded, in words; nothing speaks of telemetry."""
    documents = [{"id": "Manual, page 12", "content": "Descale it."}, {"id": "FAQ", "content": "Use citric acid."}]
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "opening hours",
            "gen_ai.tool.call.arguments": '{"day": "Sunday"}', "gen_ai.tool.call.result": '"closed"'}  # fmt: skip
    found = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps(documents)}
    ids = insert_traces(client, [[{"hansei.span.type": "AGENT"}, found, tool, question_span(7)]])
    made = work({"helpful": HELPFUL}, traces=ids)
    page = visit(made.links[ANA])
    begin(page)
    reading = page.locator("#reading")
    assert reading.locator("summary:visible").all_inner_texts() == [
        "Found 2 documents", "Looked up: opening hours", "What the assistant thought",
    ]  # fmt: skip
    reading.get_by_text("Found 2 documents").click()
    assert reading.locator(".document summary").all_inner_texts() == ["Manual, page 12", "FAQ"]
    expect(reading.locator(".bubble.user")).to_contain_text("How often should machine 7 be descaled?")
    assert reading.locator(".bubble.assistant strong").inner_text() == "two months"
    shown = page.locator("body").inner_text().lower()
    assert not re.search(r"\b(trace|span|session|token|latency|llm)s?\b", shown)


def test_whole_conversation(work: Make, client: "Client") -> None:
    """A conversation of several turns is read from its first to its last."""
    name = "review visit/1"
    spans = [[question_span(index, **{"session.id": name, "gen_ai.conversation.id": name})] for index in range(3)]
    insert_traces(client, spans)
    made = work({"helpful": HELPFUL}, traces=0, sessions=[name])
    text = ask(made.serving.ui + made.links[ANA] + "/next").text
    assert re.findall(r"How often should machine (\d) be", text) == ["0", "1", "2"]


def test_existing_feedback(work: Make, serving: "Serving", client: "Client") -> None:
    """What others said before is shown where the session says so; what is said in the session itself never is."""
    ids = insert_traces(client, [[question_span(3)]])
    hidden = work({"helpful": HELPFUL}, traces=ids)
    assert ask(f"{ask(serving.ui + hidden.links[ANA] + '/next').url}/submit",
               {"answers": {"0": {"value": True, "comment": "Said elsewhere."}}}).status == 200  # fmt: skip
    hidden.wait_for_labels(client, 1)
    shown = work({"helpful": HELPFUL}, traces=ids, people=[BEN, "cleo"], reviewers_per_item=2, show_feedback=True)
    blind = work({"helpful": HELPFUL}, traces=ids, people=[BEN])
    assert "Said elsewhere." in ask(serving.ui + shown.links[BEN] + "/next").text
    assert "Said elsewhere." not in ask(serving.ui + blind.links[BEN] + "/next").text
    at = ask(serving.ui + shown.links[BEN] + "/next").url
    assert ask(f"{at}/submit", {"answers": {"0": {"value": False, "comment": "Said beside you."}}}).status == 200
    shown.wait_for_labels(client, 1)
    assert "Said beside you." not in ask(serving.ui + shown.links["cleo"] + "/next").text


def test_arbiter(work: Make, visit: Visit, client: "Client") -> None:
    """Who decides gets the items on which reviewers differ, reads what each of them said, and decides."""
    made = work({"helpful": HELPFUL, "tone": TONE}, traces=2, people=[ANA, BEN], reviewers_per_item=2)
    people = {"assigned_users": [ANA, BEN], "arbiters": ["cleo"]}
    link = made.api("/reviewers", people, "PUT").json()["links"]["cleo"]
    assert ask(made.serving.ui + link + "/next").url.endswith("/done")
    for who in (ANA, BEN):
        at = ask(made.serving.ui + made.links[who] + "/next").url
        for _ in range(2):
            item = at.rpartition("/")[2]
            said = {"value": item == f"t-{made.traces[0]}" or who == ANA, "comment": f"Said by {who}."}
            at = made.serving.ui + ask(f"{at}/submit", {"answers": {"0": said, "1": {"value": "warm"}}}).json()["next"]
    made.wait_for_labels(client, 8)
    page = visit(link)
    assert begin(page) == f"t-{made.traces[1]}"
    for who in (ANA, BEN):
        expect(page.get_by_text(f"Said by {who}.")).to_be_visible()
    expect(page.locator("input[value=warm]")).to_be_checked()
    page.keyboard.press("2")
    state_is(page, "Kept on this device until you save")
    page.reload()
    expect(page.locator("input[value=false]")).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, cleo!")
    decided = [label for label in made.wait_for_labels(client, 9) if label[1] == "cleo"]
    assert [(trace, value) for trace, _, _, value in decided] == [(made.traces[1], False)]


def test_hostile_content(work: Make, visit: Visit, client: "Client") -> None:
    """What stands in a conversation, a question or an option is shown, and cannot run."""
    said = [{"role": "user", "content": f"{HOSTILE} [x](javascript:alert(3)) ![p](https://elsewhere.example/p.png)"}]
    spans = [{**question_span(1), "gen_ai.input.messages": json.dumps(said)},
             {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": HOSTILE}]  # fmt: skip
    tone = {"type": "categorical", "options": [HOSTILE, "'\"><b>fine"]}
    made = work(
        {"tone": tone, "facts": FACTS}, traces=insert_traces(client, [spans]), titles={"tone": f"Tone {HOSTILE}"},
        people=[HOSTILE[:28]],
    )  # fmt: skip
    page = visit(made.links[HOSTILE[:28]])
    begin(page)
    expect(page.locator("legend").nth(0)).to_have_text(f"Tone {HOSTILE}")
    assert page.locator("img, .reading script, .reading a[href^='javascript']").count() == 0
    page.keyboard.press("1")
    page.keyboard.type("a fact")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    assert [value for *_, value in made.wait_for_labels(client, 2)] == [["a fact"], HOSTILE]


# --- for everybody ---


def test_japanese(work: Make, visit: Visit, axe: Callable[[Page], None]) -> None:
    """A browser that prefers Japanese gets Japanese texts; the switch is remembered."""
    made = work({"helpful": HELPFUL, "score": SCORE})
    page = visit(made.links[ANA], language="ja-JP")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana さん、こんにちは")
    begin(page)
    expect(page.locator("#submit")).to_contain_text("保存して次へ")
    expect(page.get_by_text("0から10までの数を入力してください。")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "ja"
    axe(page)
    page.get_by_role("link", name="English").click()
    expect(page.locator("#submit")).to_contain_text("Save and next")
    page.goto(made.links[ANA])
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello Ana")


@pytest.mark.parametrize("phone", [False, True])
def test_accessible(work: Make, visit: Visit, axe: Callable[[Page], None], phone: bool) -> None:
    """Start, item with every kind of question, dialogs and thanks have nothing that shuts people out, in both themes,
    nor scroll sideways."""
    asked = {"helpful": HELPFUL, "tone": TONE, "faults": FAULTS, "score": SCORE, "better": BETTER, "facts": FACTS}
    made = work(asked, traces=1)
    page = visit(made.links[ANA], phone=phone)
    axe(page)
    page.locator("#begin").click()
    at_item(page)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.locator("#flag").click()
    axe(page)
    page.goto(f"{made.links[ANA]}/done")
    axe(page)
