"""Labeling sessions for Python, with MLflow's names."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, overload
from urllib.parse import urlencode

from hansei.feedback.labeling.chosen_traces import ids_of
from hansei.feedback.labeling.client import LabelingClient
from hansei.feedback.labeling.errors import InvalidLabeling, UnknownLabeling
from hansei.feedback.labeling.label_schema import LabelSchema, schema_of
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.moment import Moment

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

__all__ = [
    "AddedItems",
    "LabelingSession",
    "create_labeling_session",
    "delete_labeling_session",
    "get_labeling_session",
    "get_labeling_sessions",
]

LABEL_COLUMNS: Final = (
    "item_id", "kind", "trace_id", "span_id", "session_id", "reviewer", "question", "type", "value", "comment",
    "label_schema_version", "decided_between", "valid", "assessment_id", "created", "updated",
)  # fmt: skip
"""Those of the DataFrame of labels."""
_MOST_AT_ONCE: Final = 50_000
"""Items of one request."""
_MOST_LABELS: Final = 1_000_000
_CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class AddedItems:
    """What became of traces that were to be added."""

    added: int
    already_there: int
    unknown: int
    """How many of the added ones hansei has not received yet; they are shown once they come."""
    without_trace: int = field(default=0, repr=False)
    """Records of a dataset that no trace stands behind; they are left out."""


class LabelingSession:
    """A labeling session: questions, items, and who answers. Made by :func:`create_labeling_session`."""

    def __init__(self, client: LabelingClient, found: Mapping[str, Any], links: Mapping[str, str]) -> None:
        self._client = client
        self._found = dict(found)
        self.reviewer_links: dict[str, str] = {}
        """The links that are known here, by reviewer: hansei tells a link once, when it is made."""
        self.added: AddedItems | None = None
        """What became of what was added last."""
        self._learn(links)

    def __repr__(self) -> str:
        return f"LabelingSession(name={self.name!r}, labeling_session_id={self.labeling_session_id!r})"

    @property
    def name(self) -> str:
        """Its name, which no other session has."""
        return str(self._found["name"])

    @property
    def labeling_session_id(self) -> str:
        """Its id; labels carry it, so that ``search_traces(labeling_session=…)`` finds what was labelled."""
        return str(self._found["session_id"])

    @property
    def mlflow_run_id(self) -> str:
        """The run that labels belong to, for ``search_traces(run_id=…)``."""
        return str(self._found["run_id"])

    @property
    def url(self) -> str:
        """Its page, for whoever organises it."""
        return self._client.url(self._found["path"])

    @property
    def label_schemas(self) -> list[str]:
        """The names of its questions, in their order."""
        return [each["name"] for each in self._found["label_schemas"]]

    @property
    def questions(self) -> list[LabelSchema]:
        """Its questions, in the versions that it asks."""
        return [schema_of(each) for each in self._found["label_schemas"]]

    @property
    def assigned_users(self) -> list[str]:
        """Who answers."""
        return self._people("reviewer")

    @property
    def arbiters(self) -> list[str]:
        """Who decides where answers differ."""
        return self._people("arbiter")

    @property
    def status(self) -> str:
        """``open`` or ``closed``."""
        return str(self._found["status"])

    @property
    def settings(self) -> dict[str, Any]:
        """How the work is shared out."""
        return dict(self._found["settings"])

    def add_traces(
        self,
        traces: object = None,
        *,
        session_ids: Sequence[str] | None = None,
        filter_string: str | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        max_results: int = 100,
        reason: str | None = None,
    ) -> "LabelingSession":
        """Add traces, single spans or whole conversations; ``added`` of what is answered, this session, tells how many.

        ``traces``: a DataFrame or a list of ``search_traces``, trace ids, spans, or pairs of a trace id and a span id.
        ``session_ids``: conversations. ``filter_string``: the newest ``max_results`` traces that fit it, of those that
        began from ``start_time`` on and before ``end_time``; asked again, the filter adds no more than that in all.

        What is added twice is there once. Traces that hansei has not received yet are taken and counted as unknown.
        Raises ``HanseiError``.
        """
        done = AddedItems(0, 0, 0)
        if filter_string is not None:
            rule = {"kind": "filter", "filter": filter_string, "maximum": max_results}
            times = (("from", start_time), ("to", end_time))
            rule |= {name: _moment(name, moment) for name, moment in times if moment is not None}
            done = _sum(done, self._add({"rule": rule}))
        trace_ids, spans = ids_of(() if traces is None else traces)
        chosen: list[tuple[str, Any]] = [
            *(("trace_ids", each) for each in trace_ids),
            *(("spans", each) for each in spans),
            *(("session_ids", each) for each in _texts("session_ids", session_ids)),
        ]
        for start in range(0, len(chosen), _MOST_AT_ONCE):
            body: dict[str, Any] = {"reason": reason} if reason else {}
            for name, each in chosen[start : start + _MOST_AT_ONCE]:
                body.setdefault(name, []).append(each)
            done = _sum(done, self._add(body))
        self.added = done
        return self

    def add_by_rule(self, rule: Mapping[str, Any]) -> "LabelingSession":
        """Add the traces that a rule chooses, once; ``added`` of what is answered tells how many.

        A rule is a dict such as ``{"kind": "low_score", "name": "helpful", "threshold": 2, "maximum": 50}``. Raises
        ``HanseiError``.
        """
        self.added = self._add({"rule": dict(rule)})
        return self

    def add_dataset(self, dataset: Any, *, version: int | None = None) -> "LabelingSession":
        """Add the traces behind the records of a dataset; ``added`` of what is answered tells how many.

        ``dataset``: a dataset, or its name or id. ``version``: None is the latest, or that which the dataset is.
        Records that no trace stands behind have nothing to show: ``added.without_trace`` says how many are left out.
        Raises ``HanseiError``.
        """
        name, is_at = _dataset(dataset)
        body = {"dataset": name, "version": is_at if version is None else version}
        self.added = AddedItems(**self._act("add-dataset", body))
        return self

    def sync(self, to_dataset: Any, *, on_conflict: str = "skip") -> dict[str, Any]:
        """Merge what experts expect of the traces of this session into a dataset: inputs, outputs and expectations.

        ``to_dataset``: a dataset, or its name or id. Of several reviewers the arbiter's decision holds, else what all
        or more than half say. Where that leaves nothing, ``on_conflict`` says what holds: ``skip`` leaves the
        expectation out, ``newest`` takes the last, ``error`` merges nothing and raises.

        Answers the ``version`` that the dataset has now, how many records were ``added``, ``changed`` and
        ``unchanged``, and the ``conflicts``: who says what. Raises ``HanseiError``.
        """
        body = {"to_dataset": _dataset(to_dataset)[0], "on_conflict": on_conflict}
        found: dict[str, Any] = self._act("sync", body)
        return found

    def preview_rule(self, rule: Mapping[str, Any]) -> int:
        """How many traces a rule would add now. Raises ``HanseiError``."""
        body = {"rule": dict(rule), "session_id": self.labeling_session_id}
        return int(self._client.ask("POST", "labeling-rules:preview", body=body)["count"])

    def set_rules(self, rules: Sequence[Mapping[str, Any]]) -> "LabelingSession":
        """Let the server keep adding what these rules choose, for as long as the session is open.

        Raises ``HanseiError``.
        """
        return self._change({"settings": {"rules": [dict(rule) for rule in rules]}})

    def set_assigned_users(
        self, assigned_users: Sequence[str], *, arbiters: Sequence[str] | None = None
    ) -> "LabelingSession":
        """Let exactly these answer; ``reviewer_links`` has the links of those who are new.

        Who stays keeps their link, the links of others end. ``arbiters``: who decides where answers differ; None: as it
        was. Raises ``HanseiError``.
        """
        body = {
            "assigned_users": _texts("assigned_users", assigned_users),
            "arbiters": self.arbiters if arbiters is None else _texts("arbiters", arbiters),
        }
        found = self._ask("PUT", "reviewers", body=body)
        self._found["reviewers"] = found["items"]
        self._learn(found["links"])
        return self

    def rotate_link(self, user: str) -> str:
        """Make a new link for a reviewer or an arbiter; the one before ends. Raises ``HanseiError``."""
        self._learn({user: self._ask("POST", "reviewers", user, "link")["link"]})
        return self.reviewer_links[user]

    def close(self) -> "LabelingSession":
        """Take no more answers. Raises ``HanseiError``."""
        return self._change({"status": _CLOSED})

    def reopen(self) -> "LabelingSession":
        """Take answers again. Raises ``HanseiError``."""
        return self._change({"status": "open"})

    def progress(self) -> dict[str, Any]:
        """How far it is: items, those that are done, each reviewer's work, seconds left. Raises ``HanseiError``."""
        found: dict[str, Any] = self._ask("GET", "progress")
        return found

    @overload
    def labels(self, return_type: Literal["pandas"] = "pandas") -> "DataFrame": ...
    @overload
    def labels(self, return_type: Literal["list"]) -> list[dict[str, Any]]: ...
    def labels(self, return_type: Literal["pandas", "list"] = "pandas") -> "DataFrame | list[dict[str, Any]]":
        """The labels as they are now, the newest first: a DataFrame, or a list of dicts. Raises ``HanseiError``."""
        from hansei.feedback.search.frame import check_return_type, data_frame

        check_return_type(return_type)
        rows = [json.loads(line) for line in self.export("jsonl").splitlines()]
        return rows if return_type == "list" else data_frame(rows, LABEL_COLUMNS)

    def export(self, format: str = "jsonl") -> bytes:  # noqa: A002  that of the API
        """The labels as a file: ``jsonl``, ``csv`` or ``parquet``. Raises ``HanseiError``."""
        query = urlencode({"format": format, "limit": _MOST_LABELS})
        path = ("labeling-sessions", self.labeling_session_id, "export")
        return self._client.download("GET", *path, query=query).body

    def _act(self, action: str, body: Mapping[str, Any]) -> Any:
        return self._client.ask("POST", "labeling-sessions", f"{self.labeling_session_id}:{action}", body=body)

    def _ask(self, method: str, *path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._client.ask(method, "labeling-sessions", self.labeling_session_id, *path, body=body)

    def _add(self, body: Mapping[str, Any]) -> AddedItems:
        return AddedItems(**self._ask("POST", "items", body=body))

    def _change(self, body: Mapping[str, Any]) -> "LabelingSession":
        self._found = self._ask("PATCH", body=body)
        return self

    def _learn(self, links: Mapping[str, str]) -> None:
        known = {each["reviewer"] for each in self._found["reviewers"]}
        made = {user: self._client.url(path) for user, path in links.items()}
        self.reviewer_links = {user: url for user, url in {**self.reviewer_links, **made}.items() if user in known}

    def _people(self, role: str) -> list[str]:
        return [each["reviewer"] for each in self._found["reviewers"] if each["role"] == role]


def create_labeling_session(
    name: str,
    *,
    label_schemas: Sequence[str | LabelSchema] | None = None,
    assigned_users: Sequence[str] | None = None,
    arbiters: Sequence[str] | None = None,
    reviewers_per_item: int = 1,
    show_feedback: bool = False,
    lease_minutes: float = 30.0,
    link_days: float = 30.0,
    rules: Sequence[Mapping[str, Any]] = (),
) -> LabelingSession:
    """Make a labeling session; ``reviewer_links`` of what is answered has a link for each who works on it.

    ``label_schemas``: the questions, or their names, in the order in which they are asked. ``assigned_users``: who
    answers, by address or name. ``arbiters``: who decides where answers differ. ``reviewers_per_item``: how many answer
    each item, without seeing each other's answers. ``show_feedback``: whether they see what was said of an item before.
    ``lease_minutes``: how long an item is kept for who has it without a sign of life. ``link_days``: how long links are
    good for. ``rules``: what the server keeps adding while the session is open.

    Raises ``HanseiError``, also where there is a session of that name.
    """
    body = {
        "name": name,
        "label_schemas": [each.name if isinstance(each, LabelSchema) else each for each in label_schemas or ()],
        "assigned_users": _texts("assigned_users", assigned_users),
        "arbiters": _texts("arbiters", arbiters),
        "settings": {
            "reviewers_per_item": reviewers_per_item,
            "show_feedback": show_feedback,
            "lease_minutes": lease_minutes,
            "link_days": link_days,
            "rules": [dict(rule) for rule in rules],
        },
    }
    client = LabelingClient()
    found = client.ask("POST", "labeling-sessions", body=body)
    return LabelingSession(client, found, found["links"])


def get_labeling_session(name: str) -> LabelingSession:
    """A session by its name, or by its id. Raises ``HanseiError``, also where there is none."""
    if not isinstance(name, str) or not name:
        raise InvalidLabeling(f"name: {brief(name)} is not the name of a labeling session")
    client = LabelingClient()
    named = client.ask("GET", "labeling-sessions", query=urlencode({"name": name}, errors="replace"))["items"]
    if named:
        return LabelingSession(client, named[0], {})
    try:
        return LabelingSession(client, client.ask("GET", "labeling-sessions", name), {})
    except UnknownLabeling:
        raise UnknownLabeling(f"there is no labeling session of the name or id {brief(name)}") from None


def get_labeling_sessions() -> list[LabelingSession]:
    """All sessions, the newest first. Raises ``HanseiError``."""
    client = LabelingClient()
    return [LabelingSession(client, each, {}) for each in client.ask("GET", "labeling-sessions")["items"]]


def delete_labeling_session(session: LabelingSession) -> None:
    """Take a session away, and with it its links. Its labels stay. Raises ``HanseiError``."""
    if not isinstance(session, LabelingSession):
        raise InvalidLabeling(f"session: {brief(session)} is not a LabelingSession; get_labeling_session gives one")
    LabelingClient().ask("DELETE", "labeling-sessions", session.labeling_session_id)


def _texts(argument: str, given: Iterable[str] | None) -> list[str]:
    if isinstance(given, str) or (given is not None and not isinstance(given, Iterable)):
        raise InvalidLabeling(f"{argument}: {brief(given)} is not a list of texts")
    return list(given or ())


def _dataset(given: Any) -> tuple[str, int | None]:
    """The id or the name of a dataset, and the version that it is."""
    if isinstance(given, str) and given:
        return given, None
    dataset_id, version = getattr(given, "dataset_id", None), getattr(given, "version", None)
    if not isinstance(dataset_id, str) or not isinstance(version, int):
        raise InvalidLabeling(f"dataset: {brief(given)} is neither a dataset nor the name of one")
    return dataset_id, version


def _moment(name: str, moment: Moment) -> int | str:
    """As JSON has it; without a time zone it is UTC."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    return int(moment) if isinstance(moment, float) else moment


def _sum(one: AddedItems, other: AddedItems) -> AddedItems:
    return AddedItems(one.added + other.added, one.already_there + other.already_there, one.unknown + other.unknown)
