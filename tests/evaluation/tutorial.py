"""MLflow's tutorial of human feedback, with hansei in its place: six steps as one script.

It stops for the expert's part: it prints the reviewer's link and goes on when a line comes in.
"""

import json
import sys

import openai

import hansei
from hansei import AssessmentSource, AssessmentSourceType, Correctness, InputCategorical, InputText, SpanType

# 1. The application, traced.
hansei.autolog()
client = openai.OpenAI()
instructions = "You are a helpful assistant."


@hansei.trace(span_type=SpanType.RETRIEVER)
def retrieve_context(question: str) -> list[str]:
    return ["MLflow is an open-source platform for the machine learning lifecycle."]


@hansei.trace
def my_chatbot(user_question: str) -> str:
    context = "\n".join(retrieve_context(user_question))
    answer = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": f"{instructions}\n{context}"},
            {"role": "user", "content": user_question},
        ],
    )
    return answer.choices[0].message.content or ""


response = my_chatbot("What is MLflow?")
trace_id = hansei.get_last_active_trace_id()
assert trace_id is not None

# 2. The end user's feedback, the instant after the call.
hansei.log_feedback(
    trace_id=trace_id,
    name="user_feedback",
    value=False,
    rationale="Missing details about MLflow's key features",
    source=AssessmentSource(source_type=AssessmentSourceType.HUMAN, source_id="enduser_123"),
)

# 3. Look at it: the page of the trace, which the test opens.
trace = hansei.get_trace(trace_id, wait=20)
assert trace is not None

# 4. The developer's annotation.
hansei.log_expectation(
    trace_id=trace_id,
    name="mentions",
    value=["tracking", "models"],
    source=AssessmentSource(source_type="HUMAN", source_id="developer@example.com"),
)

# 5. The expert.
accuracy = hansei.create_label_schema(
    name="response_accuracy",
    type="feedback",
    title="Is the response factually accurate?",
    input=InputCategorical(options=["Accurate", "Partially Accurate", "Inaccurate"]),
    overwrite=True,
)
ideal = hansei.create_label_schema(
    name="expected_response",
    type="expectation",
    title="What would be the ideal response?",
    input=InputText(),
    overwrite=True,
)
labeling_session = hansei.create_labeling_session(
    name="quickstart_review",
    label_schemas=[accuracy.name, ideal.name],
    assigned_users=["expert@example.com"],
)
traces = hansei.search_traces(filter_string="feedback.user_feedback = 'false'", max_results=10, wait=20)
labeling_session.add_traces(traces)
links = {"trace_id": trace_id, "link": labeling_session.reviewer_links["expert@example.com"]}
print(json.dumps(links), flush=True)
sys.stdin.readline()

# 6. Evaluate, against what the expert expects: with the prompt of before, and with a better one.
labeled_traces = hansei.search_traces(run_id=labeling_session.mlflow_run_id, wait=20)
before = hansei.evaluate(data=labeled_traces, predict_fn=my_chatbot, scorers=[Correctness()])
instructions = "You are a helpful assistant. Name the key features."
after = hansei.evaluate(data=labeled_traces, predict_fn=my_chatbot, scorers=[Correctness()])
found = {
    "rows": len(labeled_traces),
    "before": dict(before.metrics),
    "after": dict(after.metrics),
    "interval": after.intervals["correctness/mean"],
    "run_id": after.run_id,
}
print(json.dumps(found), flush=True)
