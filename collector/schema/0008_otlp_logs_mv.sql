CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_logs_mv /*ON CLUSTER*/ TO otel_logs AS
WITH
    -- Values as the OpenTelemetry Collector renders them (pcommon.Value.AsString): doubles as JavaScript
    -- prints them, arrays as Go's encoding/json writes them (which also escapes <, > and &).
    x -> if(abs(x) >= 1e21, replaceOne(toString(x), 'e', 'e+'), toString(x)) AS number,
    s -> if(match(s, '[\\x0b\\x0e\\x0f\\x1a-\\x1f]'), lower(toJSONString(s)), toJSONString(s)) AS json_piece,
    s -> concat('"', arrayStringConcat(arrayMap(
        piece -> substring(json_piece(piece), 2, length(json_piece(piece)) - 2),
        extractAll(s, '(?s)[\\x0b\\x0e\\x0f\\x1a-\\x1f]|[^\\x0b\\x0e\\x0f\\x1a-\\x1f]+'))), '"') AS json_pieces,
    s -> replaceAll(replaceAll(replaceAll(replaceAll(
        if(match(s, '[\\x0b\\x0e\\x0f\\x1a-\\x1f]'), json_pieces(s), toJSONString(s)),
        '\\/', '/'), '<', '\\u003c'), '>', '\\u003e'), '&', '\\u0026') AS json_string,
    e -> multiIf(
        e.kind = 'string_value', json_string(e.string_value),
        e.kind = 'int_value', toString(e.int_value),
        e.kind = 'double_value', number(e.double_value),
        e.kind = 'bool_value', if(e.bool_value, 'true', 'false'),
        'null') AS json,
    values -> if(
        arrayExists(e -> e.kind = 'double_value' AND NOT isFinite(e.double_value), values),
        '',
        concat('[', arrayStringConcat(arrayMap(e -> json(e), values), ','), ']')) AS json_array,
    v -> multiIf(
        v.kind = 'string_value', v.string_value,
        v.kind = 'int_value', toString(v.int_value),
        v.kind = 'double_value', multiIf(
            isNaN(v.double_value), 'json: unsupported value: NaN',
            isInfinite(v.double_value), if(v.double_value > 0, 'json: unsupported value: +Inf', 'json: unsupported value: -Inf'),
            number(v.double_value)),
        v.kind = 'bool_value', if(v.bool_value, 'true', 'false'),
        v.kind = 'array_value', json_array(v.array_value.values),
        '') AS rendered,
    kvs -> mapFromArrays(kvs.key, arrayMap(v -> rendered(v), kvs.value)) AS in_order,
    kvs -> in_order(arraySort(kv -> kv.key, kvs)) AS attributes,
    ns -> fromUnixTimestamp64Nano(reinterpretAsInt64(ns)) AS time,
    -- An id of zeros is no id.
    id -> if(id IN (unhex('0000000000000000'), unhex('00000000000000000000000000000000')), '', lower(hex(id))) AS hexed,
    -- A trace or span id of another length is no id (opentelemetry/proto/logs/v1/logs.proto).
    (id, size) -> if(length(id) = size, hexed(id), '') AS hexed_if
SELECT
    time(if(record.time_unix_nano = 0, record.observed_time_unix_nano, record.time_unix_nano)) AS Timestamp,
    hexed_if(record.trace_id, 16) AS TraceId,
    hexed_if(record.span_id, 8) AS SpanId,
    toUInt8(bitAnd(record.flags, 255)) AS TraceFlags,
    record.severity_text AS SeverityText,
    toUInt8(bitAnd(record.severity_number, 255)) AS SeverityNumber,
    resource_attributes['service.name'] AS ServiceName,
    rendered(record.body) AS Body,
    resource_schema_url AS ResourceSchemaUrl,
    resource_attributes AS ResourceAttributes,
    scope_schema_url AS ScopeSchemaUrl,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    scope_attributes AS ScopeAttributes,
    attributes(record.attributes) AS LogAttributes,
    record.event_name AS EventName
FROM
(
    SELECT resource_attributes, resource_schema_url, scope, scope_schema_url, scope_attributes, record
    FROM
    (
        SELECT
            resource_attributes,
            resource_schema_url,
            scope_logs.scope AS scope,
            scope_logs.schema_url AS scope_schema_url,
            attributes(scope_logs.scope.attributes) AS scope_attributes,
            scope_logs.log_records AS log_records
        FROM
        (
            SELECT
                attributes(resource_logs.resource.attributes) AS resource_attributes,
                resource_logs.schema_url AS resource_schema_url,
                arrayJoin(resource_logs.scope_logs) AS scope_logs
            FROM (SELECT arrayJoin(resource_logs) AS resource_logs FROM otlp_logs)
        )
    )
    -- The clause, unlike the function, hands on max_block_size rows at a time: what follows needs little memory.
    ARRAY JOIN log_records AS record
);
