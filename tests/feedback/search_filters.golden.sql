-- attributes.status = 'ERROR'
having: if(argMin(StatusCode, (ParentSpanId != '', Timestamp)) = 'Error', 'ERROR', 'OK') = {p0:String}
with {'p0': 'ERROR'}

-- trace.execution_time_ms > 500 AND trace.timestamp_ms >= 1700000000000
having: argMin(Duration, (ParentSpanId != '', Timestamp)) / 1000000 > {p0:Float64}
having: intDiv(toUnixTimestamp64Nano(min(Timestamp)), 1000000) >= {p1:Float64}
with {'p0': 500.0, 'p1': 1700000000000.0}

-- trace.name LIKE 'chat%'
having: argMin(SpanName, (ParentSpanId != '', Timestamp)) LIKE {p0:String}
with {'p0': 'chat%'}

-- tags.env = 'prod'
span: (mapContains(SpanAttributes, {p0:String}) AND SpanAttributes[{p0:String}] = {p1:String})
with {'p0': 'hansei.tag.env', 'p1': 'prod'}

-- tags.`a.b` != 'x'
span: (mapContains(SpanAttributes, {p0:String}) AND SpanAttributes[{p0:String}] != {p1:String})
with {'p0': 'hansei.tag.a.b', 'p1': 'x'}

-- tags.env IS NULL
having: countIf(mapContains(SpanAttributes, {p0:String})) = 0
with {'p0': 'hansei.tag.env'}

-- tags.env IS NOT NULL
span: mapContains(SpanAttributes, {p0:String})
with {'p0': 'hansei.tag.env'}

-- metadata.`mlflow.trace.session` = 's'
span: ConversationId = {p0:String}
with {'p0': 's'}

-- metadata.retries >= 2
span: (mapContains(SpanAttributes, {p0:String}) AND ifNull(toFloat64OrNull(SpanAttributes[{p0:String}]), nan) >= {p1:Float64})
with {'p0': 'hansei.metadata.retries', 'p1': 2.0}

-- metadata.retries IN (1, 2, 'many')
span: (mapContains(SpanAttributes, {p0:String}) AND (SpanAttributes[{p0:String}] IN {p1:Array(String)} OR ifNull(toFloat64OrNull(SpanAttributes[{p0:String}]), nan) IN {p2:Array(Float64)}))
with {'p0': 'hansei.metadata.retries', 'p1': ['many'], 'p2': [1.0, 2.0]}

-- span.name = 'search' AND span.type = 'TOOL' AND service = 'shop'
span: SpanName = {p0:String} AND if(SpanAttributes['hansei.span.type'] != '', SpanAttributes['hansei.span.type'], transform(toString(GenAiOperation), ['chat', 'text_completion', 'generate_content', 'embeddings', 'retrieval', 'execute_tool', 'invoke_agent', 'create_agent', 'invoke_workflow'], ['CHAT_MODEL', 'LLM', 'LLM', 'EMBEDDING', 'RETRIEVER', 'TOOL', 'AGENT', 'AGENT', 'WORKFLOW'], 'UNKNOWN')) = {p1:String}
span: ServiceName = {p2:String}
with {'p0': 'search', 'p1': 'TOOL', 'p2': 'shop'}

-- span.attributes.gen_ai.request.model ILIKE '%GPT%'
span: (mapContains(SpanAttributes, {p0:String}) AND SpanAttributes[{p0:String}] ILIKE {p1:String})
with {'p0': 'gen_ai.request.model', 'p1': '%GPT%'}

-- span.attributes.x IS NULL AND span.status = 'error'
span: NOT mapContains(SpanAttributes, {p0:String}) AND upper(StatusCode) = {p1:String}
with {'p0': 'x', 'p1': 'ERROR'}

-- span.name = 'a' OR span.name = 'b'
span: (SpanName = {p0:String} OR SpanName = {p1:String})
with {'p0': 'a', 'p1': 'b'}

-- (span.name = 'a' AND span.duration_ms < 10) OR user = 'ann'
having: (countIf((SpanName = {p0:String} AND Duration / 1000000 < {p1:Float64})) > 0 OR countIf(UserId = {p2:String}) > 0)
with {'p0': 'a', 'p1': 10.0, 'p2': 'ann'}

-- NOT span.name = 'a'
having: NOT (countIf(SpanName = {p0:String}) > 0)
with {'p0': 'a'}

-- NOT (service = 'a' OR trace.status = 'OK')
having: NOT ((countIf(ServiceName = {p0:String}) > 0 OR if(argMin(StatusCode, (ParentSpanId != '', Timestamp)) = 'Error', 'ERROR', 'OK') = {p1:String}))
with {'p0': 'a', 'p1': 'OK'}

-- feedback.helpful = false
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String} AND if(JSONType(Value) = 'String', JSONExtractString(Value), Value) = {p1:String})
with {'p0': 'helpful', 'p1': 'false'}

-- feedback.score <= 0.5 AND expectation.answer RLIKE '^a'
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String} AND ifNull(NumericValue, nan) <= {p1:Float64})
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'expectation' AND Name = {p2:String} AND match(if(JSONType(Value) = 'String', JSONExtractString(Value), Value), {p3:String}))
with {'p0': 'score', 'p1': 0.5, 'p2': 'answer', 'p3': '^a'}

-- feedback.name = 'helpful'
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String})
with {'p0': 'helpful'}

-- feedback.`name` = 'helpful'
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String} AND if(JSONType(Value) = 'String', JSONExtractString(Value), Value) = {p1:String})
with {'p0': 'name', 'p1': 'helpful'}

-- feedback.helpful IS NULL
having: TraceId NOT IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String})
with {'p0': 'helpful'}

-- feedback.helpful = true OR cost > 0.01
having: (TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND Kind = 'feedback' AND Name = {p0:String} AND if(JSONType(Value) = 'String', JSONExtractString(Value), Value) = {p1:String}) OR TraceId IN (SELECT TraceId FROM genai_calls WHERE TraceId IN (SELECT TraceId FROM candidates) GROUP BY TraceId HAVING sum(CostUsd) > {p2:Float64}))
with {'p0': 'helpful', 'p1': 'true', 'p2': 0.01}

-- run_id = 'r' AND labeling_session IN ('a', 'b')
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND EvaluationRunId = {p0:String})
trace: TraceId IN (SELECT TraceId FROM feedback WHERE Valid AND LabelingSessionId IN {p1:Array(String)})
with {'p0': 'r', 'p1': ['a', 'b']}

-- model NOT IN ('a', 'b')
span: (GenAiModel != '' AND (GenAiRequestModel NOT IN {p0:Array(String)} AND GenAiResponseModel NOT IN {p1:Array(String)}))
with {'p0': ['a', 'b'], 'p1': ['a', 'b']}

-- model = 'gpt' AND provider IS NOT NULL AND error_type != 'timeout'
span: (GenAiRequestModel = {p0:String} OR GenAiResponseModel = {p1:String})
span: GenAiProvider != ''
span: (ErrorType != '' AND ErrorType != {p2:String})
with {'p0': 'gpt', 'p1': 'gpt', 'p2': 'timeout'}

-- tokens > 1000 AND cost <= 1.5
having: sumIf(GenAiTotalInputTokens + GenAiTotalOutputTokens, GenAiModelCall) > {p0:Float64}
having: TraceId IN (SELECT TraceId FROM genai_calls WHERE TraceId IN (SELECT TraceId FROM candidates) GROUP BY TraceId HAVING sum(CostUsd) <= {p1:Float64})
with {'p0': 1000.0, 'p1': 1.5}

-- text ~ 'refund'
span: positionCaseInsensitiveUTF8(concat(SpanName, '\n', StatusMessage, '\n', arrayStringConcat(mapValues(SpanAttributes), '\n')), {p0:String}) > 0
with {'p0': 'refund'}

-- trace.id = '0af7651916cd43dd8448eb211c80319c'
span: TraceId = {p0:String}
with {'p0': '0af7651916cd43dd8448eb211c80319c'}

-- user = 'ann' AND calls > 3
session: (UserId = {p0:String} AND Calls > {p1:Float64})
with {'p0': 'ann', 'p1': 3.0}

-- NOT (cost > 1 OR errors = 0) OR session LIKE 's-%'
session: (NOT (((CostUsd IS NOT NULL AND CostUsd > {p0:Float64}) OR Errors = {p1:Float64})) OR SessionId LIKE {p2:String})
with {'p0': 1.0, 'p1': 0.0, 'p2': 's-%'}
