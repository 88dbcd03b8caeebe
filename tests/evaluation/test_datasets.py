"""Datasets: versions that never change, what a merge does, where records come from, files, and SIGKILL amid merges."""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hansei
from hansei.cli import main
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.datasets.chosen_records import records_of
from hansei.evaluation.datasets.dataset import Dataset, create_dataset, delete_dataset, get_dataset, search_datasets
from hansei.evaluation.datasets.files import parquet_rows_by_engine, records_of_file
from hansei.evaluation.datasets.record import record_id_of
from hansei.evaluation.errors import EvaluationConflict, EvaluationError, InvalidEvaluation, UnknownEvaluation

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Traces

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.usefixtures("here")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def dataset() -> Dataset:
    return create_dataset(f"dataset {uuid.uuid4().hex}")


def contents(dataset: Dataset) -> list[tuple[Any, ...]]:
    return [(each["inputs"], each["outputs"], each["expectations"], each["tags"]) for each in dataset.records]


def counts(dataset: Dataset) -> tuple[int, ...]:
    merged = dataset.merged
    assert merged is not None
    return merged.version, merged.added, merged.changed, merged.removed, merged.unchanged


def expects(trace_id: str, value: Any, by: str, name: str = "expected_response", **more: Any) -> str:
    source = hansei.AssessmentSource("HUMAN", by)
    made = hansei.feedback_client().log_expectation(trace_id=trace_id, name=name, value=value, source=source, **more)
    return str(made.assessment_id)


def test_names() -> None:
    """A dataset is found by its name, its id, a part of its name and its tags; deleted it is gone and its name free."""
    name = f"Support {uuid.uuid4().hex}"
    made = create_dataset(name, description="What customers ask", tags={"team": name, "lang": "en"})
    for found in (get_dataset(name), get_dataset(dataset_id=made.dataset_id), *search_datasets(tags={"team": name})):
        assert (found.dataset_id, found.name, found.description) == (made.dataset_id, name, "What customers ask")
        assert (found.version, found.records, found.tags) == (0, [], {"team": name, "lang": "en"})
    assert [each.name for each in search_datasets(contains=name.upper())] == [name]
    assert search_datasets(contains=name, tags={"lang": "de"}) == []
    with pytest.raises(EvaluationConflict, match=r"there is a dataset 'Support .*' already"):
        create_dataset(name)
    delete_dataset(name)
    with pytest.raises(UnknownEvaluation, match="there is no dataset of the name"):
        get_dataset(name)
    assert create_dataset(name).version == 0
    with pytest.raises(InvalidEvaluation, match="give one of the two"):
        get_dataset()
    with pytest.raises(InvalidEvaluation, match="name: '' is not a text of one line"):
        create_dataset("")


def test_merging(dataset: Dataset) -> None:
    """The same inputs are one record, whose expectations and tags are merged by name; no change makes no version."""
    dataset.merge_records(
        [
            {"inputs": {"q": "a", "n": 1}, "expectations": {"expected_response": "A"}},
            {"inputs": {"q": "b"}, "outputs": "B", "tags": {"kind": "easy"}},
        ],
        note="by hand",
    )
    assert counts(dataset) == (1, 2, 0, 0, 0)
    dataset.merge_records(
        [{"inputs": {"n": 1.0, "q": "a"}, "expectations": {"expected_facts": ["x"]}, "tags": {"new": "1"}}]
    )
    assert counts(dataset) == (2, 0, 1, 0, 0)
    assert contents(dataset) == [
        ({"q": "a", "n": 1}, None, {"expected_response": "A", "expected_facts": ["x"]}, {"new": "1"}),
        ({"q": "b"}, "B", {}, {"kind": "easy"}),
    ]
    dataset.merge_records([{"inputs": {"q": "b"}, "outputs": "B"}])
    assert (dataset.merged is not None and dataset.merged.is_new, counts(dataset)) == (False, (2, 0, 0, 0, 1))
    assert [(each.version, each.records, each.added, each.changed, each.note) for each in dataset.versions()] == [
        (2, 2, 0, 1, ""), (1, 2, 2, 0, "by hand"), (0, 0, 0, 0, ""),
    ]  # fmt: skip


def test_versions_do_not_change(dataset: Dataset) -> None:
    """Whatever comes later, an earlier version reads as it did; a difference names what was added, changed, removed."""
    dataset.merge_records([{"inputs": number, "outputs": number} for number in range(5)])
    first = contents(dataset)
    dataset.merge_records([{"inputs": 0, "outputs": "zero"}, {"inputs": 9}])
    second = contents(dataset)
    dataset.delete_records([dataset.records[1]["record_id"]], note="a wrong one")
    dataset.merge_records([{"inputs": 0, "outputs": 0}])
    assert [contents(dataset.at(version)) for version in range(3)] == [[], first, second]
    assert [each[0] for each in contents(dataset)] == [0, 2, 3, 4, 9]
    difference = dataset.diff(1, 4)
    assert [each["inputs"] for each in difference.added] == [9]
    assert [each["inputs"] for each in difference.removed] == [1]
    assert difference.changed == []
    (changed,) = dataset.diff(1, 2).changed
    assert (changed["fields"], changed["before"]["outputs"], changed["after"]["outputs"]) == (["outputs"], 0, "zero")
    assert [each["inputs"] for each in dataset.diff(4, 1).added] == [1]
    assert not dataset.diff(2, 2)
    # Merged again, it is there again, behind the others.
    dataset.merge_records([{"inputs": 1}])
    assert [each[0] for each in contents(dataset)] == [0, 2, 3, 4, 9, 1]
    with pytest.raises(EvaluationConflict, match=r"version 1 of the dataset .* stays as it is"):
        dataset.at(1).merge_records([{"inputs": 1}])
    with pytest.raises(UnknownEvaluation, match="there is no version 17"):
        dataset.at(17)
    with pytest.raises(UnknownEvaluation, match="there is no record 'r-1' in version 5"):
        dataset.delete_records(["r-1"])


def test_lineage_of_traces(dataset: Dataset, traces: Traces, here: Serving) -> None:
    """A record of a trace tells the trace, its span, its conversation, and whose labels its expectations are."""
    trace_id = traces.add({"question": f"lineage {dataset.name}"}, "An answer.", session="conversation-1")
    by_ana = expects(trace_id, "Right.", "ana", metadata={"label_schema_version": "2"})
    here.wait_stored()
    dataset.merge_records(hansei.search_traces(filter_string=f"trace.text LIKE '%lineage {dataset.name}%'"))
    (record,) = dataset.records
    root = hansei.get_trace(trace_id)
    assert root is not None
    assert record == {
        "record_id": record_id_of({"question": f"lineage {dataset.name}"}),
        "inputs": {"question": f"lineage {dataset.name}"},
        "outputs": "An answer.",
        "expectations": {"expected_response": "Right."},
        "tags": {},
        "source": {
            "trace": {"trace_id": trace_id},
            "session": {"session_id": "conversation-1"},
            "labels": {
                "expected_response": {
                    "rule": "only", "trace_id": trace_id, "assessment_ids": [by_ana], "source_ids": ["ana"],
                    "labeling_session_id": "", "label_schema_version": "2",
                }
            },
        },
    }  # fmt: skip
    assert list(dataset.to_df().columns) == ["record_id", "inputs", "outputs", "expectations", "tags", "source"]
    # It is kept when others are merged, but for a label whose expectation is said to be another.
    dataset.merge_records([{"inputs": record["inputs"], "expectations": {"guidelines": ["Be short."]}}])
    assert dataset.records[0]["source"] == record["source"]
    dataset.merge_records([root])
    assert counts(dataset) == (2, 0, 0, 0, 1)
    dataset.merge_records([{"inputs": record["inputs"], "expectations": {"expected_response": "Other."}}])
    assert dataset.records[0]["source"] == {name: record["source"][name] for name in ("trace", "session")}
    (row,) = dataset.rows()
    assert (row["record_id"], row["session_id"], row["expected_by"]) == (record["record_id"], "conversation-1", {})


def test_several_people(dataset: Dataset, traces: Traces, here: Serving) -> None:
    """What people said of traces with the same inputs is weighed together; a dispute is told, and no ground truth."""
    same = {"question": f"several {dataset.name}"}
    one, two, other = traces.add_many([
        {"inputs": same, "outputs": "1"}, {"inputs": same, "outputs": "2"}, {"inputs": "alone", "outputs": "3"},
    ])  # fmt: skip
    for trace_id, value, by in ((one, "x", "ana"), (two, "x", "ben"), (two, "y", "eve"), (other, "x", "ana")):
        expects(trace_id, value, by)
    expects(one, ["a"], "ana", "expected_facts")
    here.wait_stored()
    dataset.merge_records([{"trace_id": each} for each in (one, two, other, "f" * 32)])
    assert dataset.merged is not None
    assert (dataset.merged.conflict_count, dataset.merged.unknown_traces) == (0, 1)
    by = {json.dumps(each["inputs"]): each for each in dataset.records}[json.dumps(same)]
    assert by["expectations"] == {"expected_response": "x", "expected_facts": ["a"]}
    assert by["source"]["labels"]["expected_response"]["rule"] == "majority"
    assert sorted(by["source"]["labels"]["expected_response"]["source_ids"]) == ["ana", "ben"]
    assert (by["outputs"], by["source"]["trace"]["trace_id"]) == ("2", two)
    # Now somebody disagrees with the only one who had said something.
    expects(other, "z", "ben")
    here.wait_stored()
    dataset.merge_records([{"trace_id": other}])
    (conflict,) = dataset.merged.conflicts
    assert (conflict["name"], conflict["trace_id"]) == ("expected_response", other)
    assert sorted((each["source_id"], each["value"]) for each in conflict["said"]) == [("ana", "x"), ("ben", "z")]
    assert {each["inputs"]: each["expectations"] for each in dataset.records if each["inputs"] == "alone"} == {
        "alone": {}
    }
    assert dataset.at(1).records[1 if dataset.at(1).records[1]["inputs"] == "alone" else 0]["expectations"]
    with pytest.raises(EvaluationConflict, match="disagree about 'expected_response'"):
        dataset.merge_records([{"trace_id": other}], on_conflict="error")
    dataset.merge_records([{"trace_id": other, "expectations": {"expected_response": "decided"}}])
    assert dataset.merged.conflict_count == 0


def test_spans(dataset: Dataset, traces: Traces, here: Serving) -> None:
    """A span is a record of its own inputs, with what was said of it."""
    attributes = {"hansei.span.inputs": '"find it"', "hansei.span.outputs": '["document"]'}
    trace_id = traces.add("whole", "answer", spans=[{"name": "search", "attributes": attributes}])
    trace = hansei.get_trace(trace_id)
    assert trace is not None
    (span,) = trace.search_spans(name="search")
    expects(trace_id, ["other"], "ana", "expected_documents", span_id=span.span_id)
    here.wait_stored()
    dataset.merge_records([span, trace])
    assert contents(dataset) == [
        ("find it", ["document"], {"expected_documents": ["other"]}, {}), ("whole", "answer", {}, {}),
    ]  # fmt: skip
    assert dataset.records[0]["source"]["trace"] == {"trace_id": trace_id, "span_id": span.span_id}


def test_data_frames(dataset: Dataset) -> None:
    """A DataFrame of one's own is merged by its columns; what is missing in a cell is not given."""
    import pandas

    frame = pandas.DataFrame(
        {"inputs": [{"q": 1}, {"q": 2}], "expectations": [{"a": 1}, None], "tags": [None, {"n": 1}], "other": [1, 2]}
    )
    dataset.merge_records(frame)
    assert contents(dataset) == [({"q": 1}, None, {"a": 1}, {}), ({"q": 2}, None, {}, {"n": "1"})]
    with pytest.raises(InvalidEvaluation, match="the DataFrame has neither inputs nor trace_id"):
        dataset.merge_records(pandas.DataFrame({"question": [1]}))


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_round_trip(dataset: Dataset, tmp_path: Path, ending: str) -> None:
    """What is exported and imported elsewhere is the same, with its lineage; imported here it changes nothing."""
    label = {
        "rule": "majority", "trace_id": "a" * 32, "assessment_ids": ["a-1", "a-2"], "source_ids": ["ana", "ben"],
        "labeling_session_id": "s-1", "label_schema_version": "3",
    }  # fmt: skip
    source = {"trace": {"trace_id": "a" * 32, "span_id": "b" * 16}, "labels": {"é": label}, "file": {"name": "of.csv"}}
    dataset.merge_records([
        {"inputs": {"q": '日本, "quoted"\nline'}, "outputs": {"n": 1.5}, "expectations": {"é": None}, "source": source},
        {"inputs": "42", "outputs": "", "tags": {"kind": "true"}, "source": {"session": {"session_id": "c"}}},
        {"inputs": [1, None, True], "source": {"file": {"name": "x"}}},
    ])  # fmt: skip
    file = tmp_path / f"records.{ending}"
    dataset.export(file)
    other = create_dataset(f"other {dataset.name}").import_file(file)
    assert other.records == dataset.records
    assert other.versions()[0].note == f"file records.{ending}"
    assert dataset.import_file(file).version == 1
    if ending == "parquet":
        by_engine = [json.loads(row["inputs"]) for row in parquet_rows_by_engine(file)]
        assert by_engine == [each["inputs"] for each in dataset.records]


def test_files_of_ones_own(tmp_path: Path) -> None:
    """A table of questions is read by its heading; what is wrong with a file is told by its line."""
    table = tmp_path / "questions.csv"
    table.write_text('\ufeffquestion,lang,expectations.expected_response\n"How, often?",en,Monthly\nWann?,de,\n')
    assert list(records_of(table)) == [
        {"inputs": {"question": "How, often?", "lang": "en"}, "expectations": {"expected_response": "Monthly"}},
        {"inputs": {"question": "Wann?", "lang": "de"}},
    ]
    wrong = {
        "a.csv": ("q,b\n1\n", "file: line 2 has 1 cells, where the heading has 2"),
        "a.jsonl": ('{"inputs": 1}\n[1]\n', "file: line 2 is not an object with inputs or a trace_id"),
        "b.jsonl": ("{\n", "file: line 1 is not JSON: .*"),
        "c.jsonl": ('{"trace_id": "x", "answer": 1}\n', "file: 'answer' is no field of a record; there are .*"),
        "f.jsonl": ('{"inputs": 1, "expectations": {"a": NaN}}\n', "file: line 1 is not JSON: NaN is not JSON.*"),
        "g.jsonl": (
            '{"inputs": 1, "expectations": "b", "expectations.a": 1}\n',
            "file: expectations: 'b' is not an .*",
        ),
        "d.parquet": ("PAR", "file: it is not Parquet: .*"),
        "e.txt": ("", "file: the name 'e.txt' does not end in one of .*"),
    }
    for name, (text, message) in wrong.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidEvaluation, match=f"^{message}$"):
            list(records_of(tmp_path / name))
    with pytest.raises(InvalidEvaluation, match="cannot be read: No such file"):
        list(records_of_file(tmp_path / "none.csv", "csv"))


def test_numbers_and_times_of_files(dataset: Dataset, tmp_path: Path) -> None:
    """A number that is none and a time, which tables of other programs have, are merged as what JSON has for them."""
    table = tmp_path / "own.csv"
    table.write_text("question,expectations.score\na,NaN\n")
    frame = pandas.DataFrame({"question": ["b"], "at": [pandas.Timestamp("2026-11-25")], "expectations.score": [0.5]})
    frame.to_parquet(tmp_path / "own.parquet")
    for name in ("own.csv", "own.parquet"):
        dataset.import_file(tmp_path / name)
    assert [(each["inputs"], each["expectations"]) for each in dataset.records] == [
        ({"question": "a"}, {"score": "NaN"}),
        ({"question": "b", "at": "2026-11-25 00:00:00"}, {"score": 0.5}),
    ]


def test_wrong_records(dataset: Dataset) -> None:
    """A record that cannot be taken is named with what is wrong; none of those sent with it is merged."""
    wrong: list[tuple[Any, str]] = [
        ({}, "records/1/inputs: there are none; give inputs, or the trace_id of a stored trace"),
        ({"inputs": 1, "expectations": 2}, "records/1/expectations: 2 is not an object by name"),
        ({"inputs": 1, "input": 2}, "records/1/input: there is no such field; there are inputs, .*"),
        ({"trace_id": "x"}, "records/1/trace_id: 'x' is not 32 hexadecimal digits.*"),
        ({"inputs": 1, "source": {"human": 1}}, "records/1/source/human: there is no such field; .*"),
    ]
    for record, message in wrong:
        with pytest.raises(InvalidEvaluation, match=f"^{message}$"):
            dataset.merge_records([{"inputs": 1}, record])
    with pytest.raises(InvalidEvaluation, match="the one at 0 is 3; give a DataFrame"):
        dataset.merge_records([3])
    assert get_dataset(dataset.name).version == 0


def test_many_requests(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes many requests is one version, and is none before the last of them."""
    monkeypatch.setattr("hansei.evaluation.datasets.dataset._RECORDS_AT_ONCE", 400)
    seen: list[int] = []

    def records() -> Iterator[dict[str, Any]]:
        for number in range(1501):
            if number == 1500:
                seen.append(get_dataset(dataset.name).version)
            yield {"inputs": number % 1500, "expectations": {str(number // 1500): number}}

    dataset.merge_records(records())
    assert (seen, counts(dataset)) == ([0], (1, 1500, 0, 0, 0))
    assert [each["inputs"] for each in dataset.records] == list(range(1500))
    assert dataset.records[0]["expectations"] == {"0": 0, "1": 1500}
    paged = EvaluationClient().ask(
        "GET", "datasets", dataset.dataset_id, "versions", "1", "records", query="limit=1000"
    )
    rest = f"limit=1000&page_token={paged['next_page_token']}"
    more = EvaluationClient().ask("GET", "datasets", dataset.dataset_id, "versions", "1", "records", query=rest)
    assert [each["inputs"] for each in (*paged["items"], *more["items"])] == list(range(1500))


def test_large_records(dataset: Dataset) -> None:
    """Records in whichever language are sent in requests that the server takes."""
    given = [{"inputs": number, "outputs": "é" * 200_000} for number in range(9)]
    assert dataset.merge_records(given).record_count == 9


def test_writers_at_once(dataset: Dataset) -> None:
    """Writers at the same time make a version each, of which every one has all that the ones before had."""
    start = threading.Barrier(4)

    def write(writer: int) -> None:
        mine = get_dataset(dataset.name)
        start.wait()
        mine.merge_records([{"inputs": [writer, number]} for number in range(60)] + [{"inputs": "shared"}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    final = get_dataset(dataset.name)
    assert [(each.version, each.records, each.added) for each in final.versions()] == [
        (4, 241, 60), (3, 181, 60), (2, 121, 60), (1, 61, 61), (0, 0, 0),
    ]  # fmt: skip
    for version in range(1, 5):
        writers = {each["inputs"][0] for each in final.at(version).records if each["inputs"] != "shared"}
        assert (len(writers), len(final.at(version).records)) == (version, 60 * version + 1)


def test_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server killed amid merges, every version that is there is whole, and no other is."""
    serving = Serving(tmp_path / "data")
    monkeypatch.setenv("HANSEI_URL", serving.ui)
    create_dataset("killed")
    dataset = get_dataset("killed")
    told = [0]

    def write() -> None:
        try:
            for version in range(1, 10_000):
                dataset.merge_records([{"inputs": number, "outputs": version} for number in range(700)])
                told[0] = version
        except EvaluationError:
            return

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while told[0] < 3:
            threading.Event().wait(0.01)
        serving.kill()
        monkeypatch.setattr("hansei.feedback.api_client._PATIENCE", 0.0)
        writing.result()
    serving.close()
    again = Serving(tmp_path / "data")
    try:
        monkeypatch.setenv("HANSEI_URL", again.ui)
        found = get_dataset("killed")
        assert found.version in (told[0], told[0] + 1)
        for version in range(1, found.version + 1):
            assert {each["outputs"] for each in found.at(version).records} == {version}
            assert len(found.at(version).records) == 700
        found.merge_records([{"inputs": "after"}])
        assert counts(found) == (found.version, 1, 0, 0, 0)
        assert {each["outputs"] for each in found.records} == {found.version - 1, None}
    finally:
        again.close()


def test_what_broke_off_is_not_there(dataset: Dataset, client: "Client") -> None:
    """Rows of a merge that no version names, under the number of the next version, are in no version."""
    dataset.merge_records([{"inputs": 1}])
    client.command(
        "INSERT INTO dataset_records (DatasetId, RecordId, Version, MergeId, Inputs, Outputs, Expectations) "
        f"VALUES ('{dataset.dataset_id}', 'r-x', 2, 'm-lost', '2', 'null', '{{}}')"
    )
    dataset.merge_records([{"inputs": 3}])
    assert [each[0] for each in contents(dataset)] == [1, 3]
    assert [each["inputs"] for each in dataset.diff(1, 2).added] == [3]


@given(json_values, st.randoms(use_true_random=False))
def test_record_ids(value: Any, random: Any) -> None:
    """Equal JSON has one id, in whichever order its members come; other JSON has another."""

    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            members = list(part.items())
            random.shuffle(members)
            return {name: shuffled(each) for name, each in members}
        return [shuffled(each) for each in part] if isinstance(part, list) else part

    assert record_id_of(shuffled(value)) == record_id_of(value)
    assert record_id_of([value]) != record_id_of(value)
    assert record_id_of(True) != record_id_of(1)


def test_commands(dataset: Dataset, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Datasets are listed, filled from a file and written to one on the command line; mistakes are one line."""
    questions, written = tmp_path / "questions.jsonl", tmp_path / "written.csv"
    questions.write_text('{"inputs": {"q": 1}}\n{"inputs": {"q": 2}, "outputs": "two"}\n')
    other = f"{dataset.name} 2"
    for command, said in {
        f"import|{dataset.name}|{questions}|--note|by command": "version 1: 2 added, 0 changed, 0 as they were\n",
        f"import|{dataset.dataset_id}|{questions}": "nothing changed: version 1 has all of it\n",
        f"import|{other}|{questions}|--create": "version 1: 2 added, 0 changed, 0 as they were\n",
        f"export|{dataset.name}|--output|{written}": "",
        f"export|{dataset.name}|--version|0": "",
    }.items():
        assert main(["datasets", *command.split("|")]) == 0
        assert capfdbinary.readouterr().out.decode() == said
    assert [each["inputs"] for each in records_of(written)] == [{"q": 1}, {"q": 2}]
    assert dataset.versions()[0].note == "by command"
    assert main(["datasets", "list"]) == 0
    heading, *lines = capfdbinary.readouterr().out.decode().splitlines()
    assert heading.split() == ["ID", "NAME", "VERSION", "RECORDS"]
    assert [line.split() for line in lines if dataset.dataset_id in line] == [
        [dataset.dataset_id, *dataset.name.split(), "1", "2"]
    ]
    for command, said in {
        "export|none": "hansei: there is no dataset of the name or id 'none'\n",
        f"import|{dataset.name}|none.csv": "hansei: file: 'none.csv' cannot be read: No such file or directory\n",
        f"export|{dataset.name}|--format|xml": "hansei: --format: 'xml' is not one of jsonl, csv, parquet\n",
    }.items():
        assert main(["datasets", *command.split("|")]) == 2
        assert capfdbinary.readouterr().err.decode() == said


def test_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traces: Traces, client: "Client") -> None:
    """The code of docs/datasets.md works as it stands, and so does its SQL."""
    text = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"(?ms)^```python\n(.*?)^```", text):
        exec(code, names)
    assert (names["before"].version, names["dataset"].name) == (1, "support questions")
    assert len((tmp_path / "support.jsonl").read_text().splitlines()) == len(names["dataset"].records)
    (sql,) = re.findall(r"(?ms)^    SELECT RecordId.*?Position$", text)
    found = client.query(sql.replace("d-…", names["dataset"].dataset_id)).result_rows
    assert [row[0] for row in found] == [each["record_id"] for each in names["dataset"].records]
    assert client.query("SELECT arrayJoin(arrayFlatten(Labels.SourceIds)) FROM dataset_records FINAL").row_count
