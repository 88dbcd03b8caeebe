import time, uuid, json
from hansei.feedback.attributes import EVENT_NAME
from hansei import judge_agreement
def test_perf(here, client):
    client.command("""INSERT INTO feedback_state (TraceId, AssessmentId, Version, Timestamp, Kind, Name, Value, SourceType, SourceId, Metadata)
      SELECT lower(hex(sipHash128(number))), concat('e-', toString(number)), number+1, now64(9) - number, 'feedback', 'correctness', if(number%3=0,'"yes"','"no"'), 'LLM_JUDGE','m', map('scorer','correctness','scorer_version','v1') FROM numbers(2000000)""")
    client.command("""INSERT INTO feedback_state (TraceId, AssessmentId, Version, Timestamp, Kind, Name, Value, SourceType, SourceId, Metadata)
      SELECT lower(hex(sipHash128(number*50))), concat('h-', toString(number)), number+1, now64(9) - number, 'feedback', 'correctness', if(number%2=0,'"yes"','"no"'), 'HUMAN','ana', map() FROM numbers(5000)""")
    judge_agreement("nobody")
    for _ in range(2):
        t=time.time(); found=judge_agreement("correctness"); print(time.time()-t, found.pairs, len(found.periods))
    from hansei.evaluation.agreement.pairs import read_pairs
    from hansei.feedback.search.connection import connections
    t=time.time(); read_pairs(connections.query,"correctness","correctness"); print("read", time.time()-t)
    t=time.time(); from hansei.evaluation.agreement.pairs import read_comparable_names; print(read_comparable_names(connections.query), time.time()-t)
