"""Label schemas: versions, and what may not change any more."""

import re

import pytest

import hansei
from hansei import InputCategorical, InputNumeric, InputPassFail, LabelSchema, LabelSchemaType
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, UnknownLabeling
from hansei.feedback.labeling.model import DONE, Work
from hansei.feedback.labeling.work import insert_work
from hansei.feedback.web.tables import Tables

from .conftest import Api

pytestmark = pytest.mark.usefixtures("python")


def test_made_read_and_deleted(name: str) -> None:
    """A label schema is read as it was made, is listed, and is gone once it is deleted."""
    made = hansei.create_label_schema(
        name,
        type=LabelSchemaType.FEEDBACK,
        input=InputNumeric(1, 5),
        title="How good is it?",
        instruction="5 is best.\nAsk when in doubt.",
        enable_comment=True,
    )
    assert made == LabelSchema(
        name, "feedback", "How good is it?", InputNumeric(1, 5), "5 is best.\nAsk when in doubt.", True, 1
    )
    assert hansei.get_label_schema(name) == made
    assert made in hansei.list_label_schemas()
    hansei.delete_label_schema(name)
    assert made not in hansei.list_label_schemas()
    with pytest.raises(UnknownLabeling, match=f"there is no label schema '{name}'"):
        hansei.get_label_schema(name)
    with pytest.raises(UnknownLabeling, match=f"there is no label schema '{name}'"):
        hansei.delete_label_schema(name)


def test_versions(name: str) -> None:
    """A name that is taken is refused; overwriting makes a new version where anything differs; a deletion ends none."""
    made = hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?")
    with pytest.raises(LabelingConflict, match=r"\(version 1\); give overwrite=True to make a new version"):
        hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?")
    same = hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?", overwrite=True)
    assert same == made
    other = hansei.create_label_schema(
        name, type="expectation", input=InputNumeric(), title="How many?", overwrite=True
    )
    assert (other.version, other.type, other.input) == (2, "expectation", InputNumeric())
    hansei.delete_label_schema(name)
    assert hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?").version == 3


def test_what_labels_answer_stays(name: str, store: Tables) -> None:
    """Once a label answers it, type and input stay, also after a deletion; the wording may change."""
    options = InputCategorical(["yes", "no"])
    hansei.create_label_schema(name, type="feedback", input=options, title="Right?")
    session = hansei.create_labeling_session(name, label_schemas=[name])
    insert_work(store, session.labeling_session_id, Work("t-1", "ana", DONE, 0, 0))
    for kind, given, said in (
        ("expectation", options, "type: expectation cannot take the place of feedback"),
        ("feedback", InputPassFail(), "input: .*pass_fail.* cannot take the place of .*categorical.*yes"),
    ):
        with pytest.raises(LabelingConflict, match=f"{said}.* in the label schema '{name}', which labels answer"):
            hansei.create_label_schema(name, type=kind, input=given, title="Right?", overwrite=True)
    changed = hansei.create_label_schema(name, type="feedback", input=options, title="Correct?", overwrite=True)
    assert changed.version == 2
    hansei.delete_label_schema(name)
    hansei.delete_labeling_session(session)
    with pytest.raises(LabelingConflict, match="make a label schema of another name"):
        hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?")


def test_sessions_keep_their_version(name: str) -> None:
    """A session asks the version that was the latest when it was made, also after that was changed and deleted."""
    first = hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?")
    session = hansei.create_labeling_session(name, label_schemas=[first])
    hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Correct?", overwrite=True)
    hansei.delete_label_schema(name)
    assert hansei.get_labeling_session(name).questions == session.questions == [first]


def test_mistakes(api: Api, name: str) -> None:
    """What cannot be a label schema is refused by the server in a line with the place, the value and what would do."""
    good = {"name": name, "type": "feedback", "input": {"type": "text"}, "title": "What?"}
    for change, said in (
        ({"type": "opinion"}, "/type: 'opinion' is not one of feedback, expectation"),
        ({"name": "two\nlines"}, r"/name: 'two\\nlines' is not a text of one line"),
        ({"name": None}, "/name: there is none, and it is needed"),
        ({"title": "x" * 1001}, "/title: .* has 1001 characters; give at most 1000"),
        ({"instruction": 5}, "/instruction: 5 is not a text"),
        ({"enable_comment": 1}, "/enable_comment: 1 is neither true nor false"),
        ({"input": {"type": "numeric", "min_value": 2, "max_value": 1}}, "/max_value: 1 is not more than min_value, 2"),
        ({"input": {"type": "text", "max_length": "9"}}, "/max_length: '9' is not a whole number"),
        ({"overwrite": "yes"}, "/overwrite: 'yes' is neither true nor false"),
        ({"titel": "What?"}, r"/titel: there is no such field; did you mean title\?"),
    ):
        reply = api.ask("POST", "/label-schemas", {**good, **change})
        assert reply.status == 422
        assert re.match(said, reply.detail), reply.detail
    with pytest.raises(InvalidLabeling, match="input: 'text' is not one of InputCategorical, InputCategoricalList,"):
        hansei.create_label_schema(name, type="feedback", input="text", title="What?")  # type: ignore[arg-type]
