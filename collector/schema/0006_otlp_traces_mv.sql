CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_traces_mv /*ON CLUSTER*/ TO otel_traces AS
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
    values -> arrayExists(e -> e.kind = 'double_value' AND NOT isFinite(e.double_value), values) AS not_json,
    values -> concat('[', arrayStringConcat(arrayMap(e -> json(e), values), ','), ']') AS json_array,
    -- One flat list of cases: what is nested is computed for every value, and copied at every level.
    v -> multiIf(
        v.kind = 'string_value', v.string_value,
        v.kind = 'int_value', toString(v.int_value),
        v.kind = 'bool_value' AND v.bool_value, 'true',
        v.kind = 'bool_value', 'false',
        v.kind = 'array_value' AND not_json(v.array_value.values), '',
        v.kind = 'array_value', json_array(v.array_value.values),
        v.kind != 'double_value', '',
        isNaN(v.double_value), 'json: unsupported value: NaN',
        isInfinite(v.double_value) AND v.double_value > 0, 'json: unsupported value: +Inf',
        isInfinite(v.double_value), 'json: unsupported value: -Inf',
        abs(v.double_value) >= 1e21, replaceOne(toString(v.double_value), 'e', 'e+'),
        toString(v.double_value)) AS rendered,
    kvs -> mapFromArrays(kvs.key, arrayMap(v -> rendered(v), kvs.value)) AS in_order,
    kvs -> in_order(arraySort(kv -> kv.key, kvs)) AS attributes,
    ns -> fromUnixTimestamp64Nano(reinterpretAsInt64(ns)) AS time,
    -- An id of zeros is no id.
    id -> if(id IN (unhex('0000000000000000'), unhex('00000000000000000000000000000000')), '', lower(hex(id))) AS hexed
SELECT
    time(span.start_time_unix_nano) AS Timestamp,
    hexed(span.trace_id) AS TraceId,
    hexed(span.span_id) AS SpanId,
    hexed(span.parent_span_id) AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    transform(span.kind, [0, 1, 2, 3, 4, 5],
        ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], '') AS SpanKind,
    resource_attributes['service.name'] AS ServiceName,
    resource_attributes AS ResourceAttributes,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    attributes(span.attributes) AS SpanAttributes,
    -- A span that ends before it starts has no duration.
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0) AS Duration,
    transform(span.status.code, [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(event -> time(event.time_unix_nano), span.events) AS `Events.Timestamp`,
    arrayMap(event -> event.name, span.events) AS `Events.Name`,
    arrayMap(event -> attributes(event.attributes), span.events) AS `Events.Attributes`,
    arrayMap(link -> hexed(link.trace_id), span.links) AS `Links.TraceId`,
    arrayMap(link -> hexed(link.span_id), span.links) AS `Links.SpanId`,
    arrayMap(link -> link.trace_state, span.links) AS `Links.TraceState`,
    arrayMap(link -> attributes(link.attributes), span.links) AS `Links.Attributes`
FROM
(
    SELECT resource_attributes, scope, span
    FROM
    (
        SELECT
            attributes(resource_spans.resource.attributes) AS resource_attributes,
            arrayJoin(resource_spans.scope_spans) AS scope_spans,
            scope_spans.scope AS scope
        FROM (SELECT arrayJoin(resource_spans) AS resource_spans FROM otlp_traces)
    )
    -- The clause, unlike the function, hands on max_block_size rows at a time: what follows needs little memory.
    ARRAY JOIN scope_spans.spans AS span
);
