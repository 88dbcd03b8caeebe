-- Every model that was called or looked up, but for those whose price was set by hand.
SELECT Provider, Model
FROM
(
    SELECT Provider, Model FROM genai_usage_5m
    UNION DISTINCT
    SELECT toString(Provider), Model FROM model_prices FINAL
)
WHERE Model != '' AND (Provider, Model) NOT IN (
    SELECT Provider, Model FROM model_prices FINAL
    WHERE NOT startsWith(PricesVersion, 'genai-prices ') AND NOT startsWith(PricesVersion, 'downloaded '))
ORDER BY Provider, Model;
