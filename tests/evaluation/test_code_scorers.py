"""Scorers that are code, against answers worked by hand and published ones."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hansei
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation, JudgeError, NotApplicable
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.scorer import Scorer, scorer
from hansei.evaluation.scorers.awaited import NO_ASKER
from hansei.evaluation.scorers.text_of import messages_of, text_of
from hansei.evaluation.scoring import score_by_code, score_subjects
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace, TraceInfo

from .model_server import ModelServer, vector_of

FOX = "The quick brown fox jumps over the lazy dog"
DOG = "The quick brown dog jumps on the log."


def value(made: Scorer, outputs: Any = None, expected: Any = None, **more: Any) -> Any:
    """What a scorer says of an answer; ``expected`` is the expected response."""
    expectations = {"expected_response": expected} if expected is not None else None
    offered = {"outputs": outputs, "expectations": expectations, **more}
    found = made(**{name: offered[name] for name in made.needs if name in offered})
    assert isinstance(found, Feedback)
    assert found.name == made.name
    return found.value


def rationale(made: Scorer, outputs: Any, **more: Any) -> str:
    found = made(outputs=outputs, **more)
    assert isinstance(found, Feedback)
    return found.rationale or ""


# --- the text of inputs and outputs ---


@pytest.mark.parametrize(
    ("recorded", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        (3, "3"),
        (True, "true"),
        ({}, "{}"),
        ({"choices": [{"message": {"role": "assistant", "content": "chat"}}]}, "chat"),
        (
            {"output": [{"type": "reasoning", "summary": []},
                        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "re"}]}]},
            "re",
        ),
        (
            [{"role": "user", "parts": [{"type": "text", "content": "q"}]},
             {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "a"},
                                             {"type": "text", "content": "b"}]}],
            "a\nb",
        ),
        ([{"role": "model", "parts": [{"text": "gemini"}]}], "gemini"),
        ({"role": "assistant", "content": [{"type": "text", "text": "claude"}]}, "claude"),
        ([{"type": "human", "content": "q"}, {"type": "ai", "content": "chain"}], "chain"),
        ([{"role": "assistant", "content": None,
           "tool_calls": [{"function": {"name": "f", "arguments": '{"x":1}'}}]}], 'f({"x":1})'),
        ([{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {"x": 1}}]}], 'f({"x": 1})'),
        ([{"role": "tool", "parts": [{"type": "tool_call_response", "response": "done"}]}], "done"),
        ({"answer": "yes", "sources": [1]}, "yes"),
        ({"a": {"reply": "deep"}}, "deep"),
        (["one", "two"], "one\ntwo"),
        ({"x": 1, "y": [2]}, '{"x": 1, "y": [2]}'),
    ],
)  # fmt: skip
def test_text_of(recorded: Any, text: str) -> None:
    """The text of what was recorded is what a person would read of it."""
    assert text_of(recorded) == text


def test_text_of_client_objects() -> None:
    """An answer of the OpenAI client is read as the JSON it came from."""
    from openai.types.chat import ChatCompletionMessage

    assert text_of(ChatCompletionMessage(role="assistant", content="hi")) == "hi"


@pytest.mark.parametrize(
    ("recorded", "messages"),
    [
        ({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]},
         [("system", "s"), ("user", "q")]),
        ({"question": "q", "top_k": 3}, [("user", "q")]),
        ("q", [("user", "q")]),
        ({"instructions": "s", "input": [{"role": "developer", "content": "d"}, {"role": "user", "content": "q"}]},
         [("system", "s"), ("system", "d"), ("user", "q")]),
        (None, []),
    ],
)  # fmt: skip
def test_messages_of(recorded: Any, messages: list[tuple[str, str]]) -> None:
    """The conversation in inputs is told with roles; what is none is one message of the user."""
    assert messages_of(recorded) == messages


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["role", "content", "parts", "type", "text", "messages", "choices", "message", "output", "x"])
        | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(values)
def test_text_of_anything(recorded: Any) -> None:
    """Whatever JSON was recorded has a text, and a list of messages that are texts."""
    assert isinstance(text_of(recorded), str)
    assert all(isinstance(role, str) and isinstance(text, str) for role, text in messages_of(recorded))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(min_size=1, max_size=9)), min_size=1)
)
def test_conversations(said: list[tuple[str, str]]) -> None:
    """A conversation comes back as it was, in either form; its text is the last by the assistant, or the last."""
    chat = [{"role": role, "content": text} for role, text in said]
    parts = [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said]
    last = [text for role, text in said if role == "assistant"] or [said[-1][1]]
    for messages in (chat, parts):
        assert messages_of({"messages": messages}) == messages_of(messages) == said
        assert text_of(messages) == text_of({"messages": messages}) == last[-1]


# --- matching ---


def test_exact_match() -> None:
    """White space and the encoding of accents do not count; case does unless it is told not to."""
    exact = hansei.ExactMatch()
    assert value(exact, " Paris\n", "Paris") is True
    assert value(exact, "caf\u00e9", "cafe\u0301") is True
    assert value(exact, "paris", "Paris") is False
    assert value(hansei.ExactMatch(case_insensitive=True), "STRASSE", "straße") is True
    assert value(exact, {"choices": [{"message": {"role": "assistant", "content": "Paris"}}]}, "Paris") is True
    assert value(exact, "b", ["a", "b"]) is True
    assert rationale(exact, "c", expectations={"expected_response": ["a", "b"]}) == (
        "the answer 'c' is none of 2 expected ones, as 'a'"
    )


def test_exact_match_facts() -> None:
    """Of facts every one stands in the answer word for word."""
    exact = hansei.ExactMatch()
    facts = {"expected_facts": ["in France", "on the Seine"]}
    assert rationale(exact, "It is in  France and on the Seine.", expectations=facts) == (
        "all 2 expected facts are in the answer"
    )
    assert rationale(exact, "It is in France.", expectations=facts) == (
        "1 of 2 facts not in the answer, as 'on the Seine'"
    )


def test_exact_match_data() -> None:
    """Data is compared as data: the order of keys does not count, and true is not 1."""
    exact = hansei.ExactMatch()
    assert value(exact, '{"b": 2.0, "a": [1]}', {"a": [1], "b": 2}) is True
    assert value(exact, {"a": True}, {"a": 1}) is False
    assert value(exact, "no data", {"a": 1}) is False


def test_expectations() -> None:
    """An expectation of another name is used where it is told; without one there is nothing to say."""
    named = hansei.ExactMatch(expectation="golden")
    assert named(outputs="x", expectations={"golden": "x", "expected_response": "y"}).value is True
    for made, text in (
        (hansei.ExactMatch(), "no expectation expected_response or expected_facts"),
        (named, "no expectation golden"),
    ):
        with pytest.raises(NotApplicable, match=text):
            made(outputs="x", expectations={"expected_response": ""})
    with pytest.raises(NotApplicable, match="no outputs were recorded"):
        hansei.ExactMatch()(outputs=None, expectations={"expected_response": "x"})
    score = score_by_code(named, Subject("trace", "a" * 32, outputs="x"))
    assert (score.skipped, score.error) == ("there is no expectation golden", "")


def test_fuzzy_match() -> None:
    """kitten and sitting share four letters in order: twice four of thirteen."""
    fuzzy = hansei.FuzzyMatch()
    assert value(fuzzy, "kitten", "sitting") == pytest.approx(8 / 13)
    assert value(fuzzy, "kitten", ["mouse", "sitting"]) == pytest.approx(8 / 13)
    assert value(hansei.FuzzyMatch(ratio="token_sort_ratio"), "b a", "a b") == 1
    assert value(hansei.FuzzyMatch(case_insensitive=True), "ABC", "abc") == 1
    assert value(hansei.FuzzyMatch(threshold=0.61), "kitten", "sitting") is True
    assert value(hansei.FuzzyMatch(threshold=0.62), "kitten", "sitting") is False
    facts = {"expected_facts": ["abc", "xyz"]}
    assert hansei.FuzzyMatch(ratio="partial_ratio")(outputs="-abc-", expectations=facts).value == 0


def test_regex_match() -> None:
    """As in MLflow a pattern is searched for, or fits the whole answer, in any case if wanted."""
    assert value(hansei.RegexMatch(pattern=r"^Answer:"), "Answer: 42") is True
    assert value(hansei.RegexMatch(pattern=r"\d+"), "is 42") is True
    assert value(hansei.RegexMatch(pattern=r"\d+", match_type="fullmatch"), "is 42") is False
    assert value(hansei.RegexMatch(pattern="answer", case_insensitive=True), "ANSWER") is True
    assert rationale(hansei.RegexMatch(pattern=r"\d+"), "is 42") == r"'\\d+' fits at characters 3 to 5"


def test_response_length() -> None:
    """The bounds are inclusive, in characters or words."""
    assert [value(hansei.ResponseLength(min_length=2, max_length=3), "x" * n) for n in (1, 2, 3, 4)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert value(hansei.ResponseLength(max_length=2, unit="words"), "two  words") is True
    assert rationale(hansei.ResponseLength(min_length=3, unit="words"), "two words") == (
        "2 words, at least 3 are asked"
    )


# --- JSON ---


@pytest.mark.parametrize(
    ("answer", "valid", "fenced"),
    [
        ('{"a": 1}', True, True),
        ("[1, 2", False, False),
        ("NaN", False, False),
        ("", False, False),
        ('```json\n{"a": 1}\n```', False, True),
        ('Here:\n```json\n{"a": 1}\n```', False, False),
        ({"a": 1}, True, True),
        ([{"role": "assistant", "content": '{"a": 1}'}], True, True),
        ([{"role": "assistant", "content": "a"}], False, False),
    ],
)
def test_json_valid(answer: Any, valid: bool, fenced: bool) -> None:
    """JSON is what is nothing else, or stands in one block of code where that is allowed."""
    assert value(hansei.JsonValid(), answer) is valid
    assert value(hansei.JsonValid(allow_fence=True), answer) is fenced


def test_json_schema() -> None:
    """What is wrong is named with its place; nothing is fetched for a reference."""
    schema = {"type": "object", "required": ["name"], "properties": {"age": {"type": "integer"}}}
    made = hansei.JsonSchema(schema=schema)
    assert value(made, '{"name": "A", "age": 3}') is True
    assert rationale(made, '{"age": "x"}') == "$: 'name' is a required property; $.age: 'x' is not of type 'integer'"
    assert rationale(made, "[") == "no JSON: Expecting value at line 1, column 2"
    assert value(hansei.JsonSchema(schema={"$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}), "null") is True
    with pytest.raises(Exception, match=r"127[.]0[.]0[.]1:9/none"):
        hansei.JsonSchema(schema={"$ref": "http://127.0.0.1:9/none"})(outputs="1")


# --- likeness ---


def test_rouge() -> None:
    """The example of rouge-score: six of nine and eight words, two of eight and seven pairs, five in one sequence."""
    wanted = {
        ("rouge1", "precision"): 6 / 8, ("rouge1", "recall"): 6 / 9, ("rouge1", "fmeasure"): 12 / 17,
        ("rouge2", "fmeasure"): 4 / 15, ("rougeL", "precision"): 5 / 8, ("rougeL", "recall"): 5 / 9,
        ("rougeL", "fmeasure"): 10 / 17,
    }  # fmt: skip
    made = {key: hansei.Rouge(kind=key[0], measure=key[1]) for key in wanted}
    assert {key: value(rouge, DOG, FOX) for key, rouge in made.items()} == pytest.approx(wanted)
    assert value(hansei.Rouge(), DOG, ["x", FOX]) == pytest.approx(10 / 17)
    assert value(hansei.Rouge(kind="rouge1", stemmer=True), "jumping", "jumps") == 1


def test_rouge_of_other_languages() -> None:
    """The tokenizer of published figures knows a to z alone, and says so; the other knows any language."""
    with pytest.raises(NotApplicable, match="tokenizer='unicode'"):
        value(hansei.Rouge(), "Москва", "Москва")
    unicode = hansei.Rouge(kind="rouge1", tokenizer="unicode")
    assert value(unicode, "город Москва", "Москва") == pytest.approx(2 / 3)
    assert value(unicode, "東京都", "東京") == pytest.approx(4 / 5)


def test_bleu() -> None:
    """6/7, 5/6, 4/5 and 3/4 multiply to 3/7; and of Papineni's seven thes two count."""
    mat = "the cat sat on the mat"
    assert value(hansei.Bleu(), f"{mat} today", mat) == pytest.approx((3 / 7) ** 0.25)
    assert value(hansei.Bleu(), mat, mat) == pytest.approx(1)
    the = ["The cat is on the mat", "There is a cat on the mat"]
    assert value(hansei.Bleu(max_ngram_order=1, lowercase=True), "the " * 7, the) == pytest.approx(2 / 7)


def test_chrf() -> None:
    """Of two letters in four all are right and half are there, and recall weighs twice: 5 · 0.5 / 4.5."""
    assert value(hansei.Chrf(char_order=1), "ab", "abcd") == pytest.approx(2.5 / 4.5)
    assert value(hansei.Chrf(char_order=2), "abc", "abd") == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert value(hansei.Chrf(word_order=2, threshold=0.99), FOX, FOX) is True


# --- of the trace ---


def trace(**more: Any) -> Trace:
    told = {"input_tokens": 0, "output_tokens": 0, "cost_usd": None, "execution_duration": 1500, **more}
    info = TraceInfo(
        trace_id="a" * 32, name="t", client_request_id=None, state="OK", request_time=0, request=None, response=None,
        trace_metadata={}, tags={}, service="s", session_id=None, user_id=None, **told,
    )  # fmt: skip
    return Trace(info, (), ())


def test_measures() -> None:
    """Duration is told in seconds, cost in USD, tokens as a count; with a limit, whether it is kept."""
    known = trace(input_tokens=7, output_tokens=5, cost_usd=0.25)
    for made, amount in (
        (hansei.Latency(), 1.5),
        (hansei.Latency(max_seconds=1.5), True),
        (hansei.Latency(max_seconds=1), False),
        (hansei.Cost(), 0.25),
        (hansei.Cost(max_usd=0.2), False),
        (hansei.TokenUsage(), 12),
        (hansei.TokenUsage(kind="input"), 7),
        (hansei.TokenUsage(kind="output", max_tokens=5), True),
    ):
        assert made.needs == {"trace"}
        assert value(made, trace=known) is amount or value(made, trace=known) == amount


@pytest.mark.parametrize("made", [hansei.Cost(), hansei.TokenUsage(), hansei.TokenUsage(max_tokens=3)])
def test_unknown_measures(made: Scorer) -> None:
    """What was not recorded is no zero: there is nothing to say."""
    for given_trace in (trace(), None):
        with pytest.raises(NotApplicable):
            made(trace=given_trace)


# --- personal data ---


def test_pii_detection() -> None:
    """What is found is told by kind, place and the characters at its ends alone."""
    outputs = {
        "answer": "Write to bob@example.com, or call +49 30 1234567.",
        "cards": ["4111 1111 1111 1111", 4111111111111111, "4111 1111 1111 1112"],
    }
    found = hansei.PIIDetection()(outputs=outputs)
    assert (found.value, found.rationale) == (
        False,
        "email b***m in answer at 9; phone +***7 in answer at 34; credit_card 4***1 in cards[0] at 0; "
        "credit_card 4***1 in cards[1] at 0",
    )
    assert value(hansei.PIIDetection(count=True), outputs) == 4
    assert value(hansei.PIIDetection(pii_types=["ssn", "iban"]), outputs) is True
    assert rationale(hansei.PIIDetection(), {"a@b.de": "10.0.0.1"}) == (
        "email a***e in a key of the outputs at 0; ip_address 1***1 in a place whose key has such in it at 0"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("078-05-1120", True), ("000-12-3456", False), ("666-12-3456", False), ("900-12-3456", False),
        ("078-00-1120", False), ("078-05-0000", False), ("1078-05-1120", False), ("078-05-11201", False),
    ],
)  # fmt: skip
def test_ssn(text: str, found: bool) -> None:
    """A number of US social security is one that could have been given."""
    assert value(hansei.PIIDetection(pii_types=["ssn"]), f"It is {text}.") is not found


# --- embeddings ---


class Refusing(ModelServer):
    """Counts the requests for embeddings; refuses the first few."""

    refuse: int = 0
    times: list[float] = []  # noqa: RUF012
    sizes: list[int] = []  # noqa: RUF012

    def handle(self, connection: Any, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.times.append(monotonic())
        texts = json.loads(body)["input"]
        self.sizes.append(len(texts))
        if self.refuse > 0:
            self.refuse -= 1
            connection.send(429, {"error": {"message": "slow"}}, {"Retry-After": "1.2"})
        elif any("poison" in text for text in texts):
            connection.send(400, {"error": {"message": "a text is too long"}})
        else:
            super().handle(connection, method, path, headers, body)


@pytest.fixture(scope="module")
def api() -> Iterator[Refusing]:
    """An API for embeddings."""
    with Refusing() as server:
        yield server


@pytest.fixture
def embeddings(api: Refusing, monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """The same, with nothing counted yet, to which the environment of the OpenAI client leads."""
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    api.refuse, api.times, api.sizes = 0, [], []
    return api


def test_embedding_similarity(embeddings: Refusing) -> None:
    """The value is the cosine of the two vectors; of several right answers the nearest counts."""
    near = sum(a * b for a, b in zip(vector_of("red apple pie"), vector_of("red apple tart"), strict=True))
    made = hansei.EmbeddingSimilarity()
    assert value(made, "red apple pie", ["blue sky", "red apple tart"]) == pytest.approx(near, abs=1e-6)
    assert value(made, "same words", "same words") == pytest.approx(1)
    assert value(made, " ", "x") == 0
    assert value(hansei.EmbeddingSimilarity(threshold=0.99), "same", "same") is True
    assert made.source.source_type == "CODE"


def test_embeddings_in_batches(embeddings: Refusing) -> None:
    """The texts of many subjects go in few requests, each text once; a text that is refused fails its subject alone."""
    subjects = [
        Subject("trace", str(n), outputs="poison" if n == 7 else f"answer {n}", expectations={"expected_response": "x"})
        for n in range(40)
    ]
    made = hansei.EmbeddingSimilarity()

    async def work() -> dict[str, Any]:
        tasks = [(subject, [made]) for subject in subjects]
        scored = score_subjects(tasks, NO_ASKER, concurrency=40)
        return {each.subject.subject_id: each.scores[0] async for each in scored}

    scores = asyncio.run(work())
    assert {key for key, score in scores.items() if score.error} == {"7"}
    assert scores["7"].error == "text-embedding-3-small: 400 a text is too long"
    assert len(embeddings.sizes) < 25
    assert max(embeddings.sizes) > 10


def test_embeddings_wait_as_told(embeddings: Refusing) -> None:
    """A request that is refused for now is made again after as long as the server says."""
    embeddings.refuse = 1
    assert value(hansei.EmbeddingSimilarity(), "same", "same") == pytest.approx(1)
    assert len(embeddings.times) == 2
    assert embeddings.times[1] - embeddings.times[0] >= 1.2


def test_embeddings_without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the error says which to set; without a server that there was no answer."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EvaluationError, match="set OPENAI_API_KEY"):
        value(hansei.EmbeddingSimilarity(), "a", "b")
    monkeypatch.setattr("hansei.evaluation.scorers.embedder.JudgeSettings", lambda: _impatient())
    nowhere = JudgeModel("e", base_url="http://127.0.0.1:9/v1", api_key="secret-one")
    made = hansei.EmbeddingSimilarity(model=nowhere)
    assert "secret-one" not in str(made.definition())
    with pytest.raises(JudgeError, match=r"^e: no answer"):
        value(made, "a", "b")


def _impatient() -> Any:
    from hansei.evaluation.judges.settings import JudgeSettings

    return JudgeSettings(retries=0, timeout=1)


# --- arguments and versions ---


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: hansei.RegexMatch(pattern="("), "RegexMatch: pattern: '(' is not a regular expression"),
        (lambda: hansei.RegexMatch(pattern="a", match_type="match"), "'match' is not one of 'search', 'fullmatch'"),
        (lambda: hansei.RegexMatch(pattern="a", name=" "), "RegexMatch: name: ' ' is empty"),
        (lambda: hansei.FuzzyMatch(threshold=80), "FuzzyMatch: threshold: 80 is not from 0 to 1"),
        (lambda: hansei.FuzzyMatch(threshold="high"), "threshold: 'high' is not a number or None"),
        (lambda: hansei.FuzzyMatch(case_insensitive=1), "case_insensitive: 1 is not true or false"),
        (lambda: hansei.ResponseLength(), "ResponseLength: give min_length, max_length or both"),
        (lambda: hansei.ResponseLength(min_length=3, max_length=2), "min_length: 3 is more than max_length"),
        (lambda: hansei.ResponseLength(min_length=-1), "min_length: -1 is less than 0"),
        (lambda: hansei.PIIDetection(pii_types=["mail"]), "pii_types: ['mail'] is not a list of one of 'email'"),
        (lambda: hansei.PIIDetection(pii_types=[]), "pii_types: [] is empty"),
        (lambda: hansei.JsonSchema(schema={"type": "text"}), "is not a JSON schema: $.type"),
        (lambda: hansei.JsonSchema(schema="x"), "schema: 'x' is not a dict"),
        (lambda: hansei.Bleu(tokenize="x"), "Bleu: tokenize: 'x' is not one of 'none'"),
        (lambda: hansei.Chrf(char_order=0), "Chrf: char_order: 0 is less than 1"),
        (lambda: hansei.Latency(max_seconds=-1), "max_seconds: -1 is less than 0"),
        (lambda: hansei.EmbeddingSimilarity(model="azure:/x"), "model: 'azure:/x' is not a model"),
        (lambda: hansei.EmbeddingSimilarity(threshold=2), "threshold: 2 is not from -1 to 1"),
    ],
)
def test_wrong_arguments(make: Callable[[], Scorer], error: str) -> None:
    """A wrong argument is named with its value and what would be right."""
    with pytest.raises(InvalidEvaluation) as told:
        make()
    assert error in str(told.value)


@pytest.mark.parametrize(
    ("package", "make"),
    [("rapidfuzz", hansei.FuzzyMatch), ("rouge_score", hansei.Rouge), ("sacrebleu", hansei.Bleu),
     ("sacrebleu", hansei.Chrf), ("jsonschema", lambda: hansei.JsonSchema(schema={}))],
)  # fmt: skip
def test_missing_packages(package: str, make: Callable[[], Scorer], monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed is named with what installs it."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EvaluationError, match=r"^\w+ needs [\w-]+: pip install 'hansei\[\w+\]'$"):
        make()


VERSIONS = """
import hansei
schema = {"type": "object", "properties": {"b": {}, "a": {}}}
made = [hansei.ExactMatch(), hansei.RegexMatch(pattern="a"), hansei.JsonSchema(schema=schema), hansei.Rouge(),
        hansei.Bleu(), hansei.PIIDetection(pii_types=["email"]), hansei.EmbeddingSimilarity()]
versions = [each.version for each in made]
"""


def test_versions_are_lasting() -> None:
    """The same scorer has the same version in another process, whatever was called before."""
    here: dict[str, Any] = {}
    exec(VERSIONS, here)
    told = subprocess.run(
        [sys.executable, "-c", f"{VERSIONS}\nprint(' '.join(versions))"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert told.stdout.split() == here["versions"]
    assert len(set(here["versions"])) == 7


def test_versions_by_argument() -> None:
    """Another argument is another version; how values are aggregated, and what was scored, are none."""
    made = hansei.RegexMatch(pattern="a")
    made(outputs="a")
    assert made.version == hansei.RegexMatch(pattern="a", aggregations=["min"]).version
    others = [
        hansei.RegexMatch(pattern="b"), hansei.RegexMatch(pattern="a", case_insensitive=True),
        hansei.RegexMatch(pattern="a", name="other"), hansei.ResponseLength(max_length=1),
    ]  # fmt: skip
    assert len({made.version, *(each.version for each in others)}) == 5


SOURCE = '''"""A module."""
from hansei import RegexMatch, Scorer, scorer

@scorer
def polite(outputs):
    return "please" in outputs

class Own(Scorer):
    name = "own"
    def __call__(self, *, outputs):
        return len(outputs)

class Inherited(RegexMatch):
    def __call__(self, *, outputs=None):
        return super().__call__(outputs=outputs)
'''


def test_versions_by_code(tmp_path: Path) -> None:
    """A scorer whose code changes has another version; one in the same file beside it has not."""

    def versions(name: str, source: str) -> list[str]:
        path = tmp_path / name / "module.py"
        path.parent.mkdir()
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("module", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["module"] = module
        spec.loader.exec_module(module)
        return [module.polite.version, module.Own().version, module.Inherited(pattern="a").version]

    try:
        first, again = versions("first", SOURCE), versions("again", SOURCE)
        other = versions("other", SOURCE.replace('"please"', '"thanks"'))
        inherited = versions("inherited", SOURCE.replace("outputs=outputs)", "outputs=outputs or '')"))
    finally:
        sys.modules.pop("module")
    assert first == again
    assert [a == b for a, b in zip(first, other, strict=True)] == [False, True, True]
    assert [a == b for a, b in zip(first, inherited, strict=True)] == [True, True, False]


# --- one's own ---


def test_own_scorer() -> None:
    """A function is a scorer that looks at what its parameters name."""

    @hansei.scorer(name="short", aggregations=["min"])
    def length(outputs: str, expectations: Any, unused: int = 3) -> bool:
        return len(outputs) <= expectations["most"]

    assert (length.name, length.needs, length.aggregations) == ("short", {"outputs", "expectations"}, ("min",))
    assert length(outputs="abc", expectations={"most": 3}) is True


def test_own_scorer_errors() -> None:
    """A parameter that a scorer is not given is refused when it is made."""
    with pytest.raises(InvalidEvaluation, match="the parameter 'answer' is none that a scorer is given; use some of"):

        @scorer
        def wrong(outputs: str, answer: str) -> bool:
            return outputs == answer
