-- What the roll-up and the views must agree on, said once. They are aliases: nothing is stored.
--
-- GenAiModelCall: the operations in which a model is called and paid for. Agents, workflows, tools, retrieval and
-- fetched responses are not in the list: where they carry usage, it is that of the calls beneath them or before.
--
-- GenAiTotalInputTokens, GenAiTotalOutputTokens: the conventions count cached and written tokens as input, and
-- reasoning as output. Some instrumentations do not; a total that is less than its parts was counted without them.
--
-- GenAiModel: the name that decides the price. An alias such as "gpt-4o" is answered by a dated model.
ALTER TABLE otel_traces /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS GenAiModelCall Bool
        ALIAS GenAiOperation IN ('chat', 'text_completion', 'generate_content', 'embeddings'),
    ADD COLUMN IF NOT EXISTS GenAiTotalInputTokens UInt64
        ALIAS GenAiInputTokens + if(GenAiCachedInputTokens + GenAiCacheWriteInputTokens > GenAiInputTokens,
            GenAiCachedInputTokens + GenAiCacheWriteInputTokens, 0),
    ADD COLUMN IF NOT EXISTS GenAiTotalOutputTokens UInt64
        ALIAS GenAiOutputTokens + if(GenAiReasoningTokens > GenAiOutputTokens, GenAiReasoningTokens, 0),
    ADD COLUMN IF NOT EXISTS GenAiModel LowCardinality(String)
        ALIAS if(GenAiResponseModel != '', GenAiResponseModel, GenAiRequestModel);
