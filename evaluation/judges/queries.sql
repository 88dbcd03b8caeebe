-- name: judge_responses
SELECT RequestHash, Response
FROM judge_responses FINAL
WHERE RequestHash IN {keys:Array(String)};
