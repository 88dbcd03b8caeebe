"""The spans of judging beside those of the process that judges."""

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .model_server import ModelServer, Refused, Said

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_JUDGING = """
import asyncio, sys
import hansei
from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.question import JudgeModel, Question
from openai import OpenAI

hansei.instrument(capture_content=True, service_name="notebook")

async def main():
    model = JudgeModel("judge-model", sys.argv[1], "key")
    async with ModelAsker(run_id="run-8") as asker:
        for text in ("subject-fine", "subject-wrong"):
            messages = [{"role": "user", "content": text}]
            try:
                await asker.ask(Question(model, messages, {"type": "boolean"}, "judge", "v1", text))
            except JudgeError as error:
                print(error)

asyncio.run(main())
with OpenAI(base_url=sys.argv[1], api_key="key") as client:
    client.chat.completions.create(model="own-model", messages=[{"role": "user", "content": "Hello."}])
hansei.flush()
"""


def test_beside_an_instrumented_client(here: Serving, client: "Client") -> None:
    """Each question is one span, although the process's client is instrumented, with its content where that is recorded
    and with the error of one that failed; what else the process asks is a span of its own service."""

    def answer(body: dict[str, Any]) -> Any:
        if "subject-wrong" in str(body["messages"]):
            return Refused(401, message="no such key")
        return Said({"rationale": "It is.", "value": True}, "judge-model-1", 7, 5)

    with ModelServer(answer) as models:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{here.grpc}"}
        ran = subprocess.run(
            [sys.executable, "-c", _JUDGING, models.url], env=environment, capture_output=True, text=True, check=False
        )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("judge-model cannot be asked: 401 no such key\n", "", 0)
    here.wait_stored()
    rows = client.query(
        """SELECT ServiceName, SpanName, StatusCode, SpanAttributes['error.type'] AS Error,
            SpanAttributes['hansei.evaluation.subject'] AS Subject,
            SpanAttributes['gen_ai.input.messages'] AS Asked, SpanAttributes['gen_ai.output.messages'] AS Said
        FROM otel_traces
        WHERE SpanAttributes['hansei.evaluation.subject'] IN ('subject-fine', 'subject-wrong')
            OR SpanAttributes['gen_ai.request.model'] = 'own-model'
        ORDER BY Timestamp"""
    ).result_rows
    fine, wrong, own = (tuple(row) for row in rows)
    assert fine[:5] == ("hansei-evaluation", "chat judge-model", "Unset", "", "subject-fine")
    assert '"content":"subject-fine"' in fine[5]
    assert "It is." in fine[6]
    assert wrong[:5] == ("hansei-evaluation", "chat judge-model", "Error", "JudgeError", "subject-wrong")
    assert own[:5] == ("notebook", "chat own-model", "Unset", "", "")
