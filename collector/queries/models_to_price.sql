-- The models that a price book of version {version} has something to say about: those not looked up yet, those
-- for which another version knew nothing, and those priced by another release of genai-prices. What was
-- downloaded is newer than any release; what was set by hand is not touched. {since}: seconds since 1970; calls of
-- before that are not looked at.
SELECT Provider, Model
FROM
(
    SELECT DISTINCT Provider, if(ResponseModel != '', ResponseModel, RequestModel) AS Model
    FROM
    (
        -- First by the columns as they are: several times faster than by what is computed from them.
        SELECT Provider, RequestModel, ResponseModel FROM genai_usage_5m
        WHERE Start >= toDateTime({since:UInt32})
        GROUP BY Provider, RequestModel, ResponseModel
    )
) AS seen
LEFT JOIN (SELECT * FROM model_prices FINAL) AS known USING (Provider, Model)
WHERE Model != ''
    AND (PricesVersion = ''
        OR PricesVersion != {version:String}
        AND (startsWith(PricesVersion, 'genai-prices ') OR empty(Prices) AND startsWith(PricesVersion, 'downloaded ')))
ORDER BY Provider, Model;
