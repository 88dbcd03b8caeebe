-- What models cost, by the names that spans give them. Cost is computed when it is read: a price that is learnt
-- or corrected later prices what was stored before, and no insert waits for a price.
--
-- Prices holds the pair's whole price list, ordered by (Start, DayStart, InputTokensAbove); the last entry that a
-- call has reached is the one it pays, all of it. Each Start has every DayStart, each of those every
-- InputTokensAbove, and all three begin with 0. An empty list: no price is known, and the pair's cost is NULL.
--     Start             since when, UTC
--     DayStart          since which second of the day, UTC, for prices that differ by night and day
--     InputTokensAbove  for requests with more input tokens than this
--     Input … Reasoning USD per million tokens: of input that was neither read from nor written to a cache, of
--                       input read from the cache and written to it, of output that is not reasoning, of reasoning
--     Request           USD per request, on top
--
-- A price of your own (negotiated, or of a model you serve) is a row that hansei then leaves alone:
--     INSERT INTO model_prices (Provider, Model, Prices, PricesVersion)
--     VALUES ('openai', 'our-llama', [(0, 0, 0, 0.20, 0.20, 0.20, 0.60, 0.60, 0)], 'own')
--
-- No deduplication window: a price that returns to an earlier value must be stored again.
CREATE TABLE IF NOT EXISTS model_prices /*ON CLUSTER*/
(
    Provider        LowCardinality(String) COMMENT 'gen_ai.provider.name, as in the spans',
    Model           String COMMENT 'gen_ai.response.model, or gen_ai.request.model where the former is missing',
    Prices          Array(Tuple(
        Start            DateTime('UTC'),
        DayStart         UInt32,
        InputTokensAbove UInt32,
        Input            Float64,
        CachedInput      Float64,
        CacheWrite       Float64,
        Output           Float64,
        Reasoning        Float64,
        Request          Float64)),
    MatchedProvider LowCardinality(String) COMMENT 'id in genai-prices, empty where nothing matched',
    MatchedModel    String COMMENT 'id in genai-prices, empty where nothing matched',
    PricesVersion   LowCardinality(String) COMMENT 'genai-prices and its version, or downloaded and when; else: set by hand',
    UpdatedAt       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = /*Replicated*/ReplacingMergeTree(UpdatedAt)
ORDER BY (Provider, Model)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1;
