-- The shape of an OTLP ExportTraceServiceRequest: a row a request, read by FORMAT Protobuf with the reading
-- schema traces.proto. It stores nothing; otlp_traces_mv maps what passes through to otel_traces.
-- `kind` says which member of the AnyValue was set (input_format_protobuf_oneof_presence), so that a zero is
-- not taken for an absence.
CREATE TABLE IF NOT EXISTS otlp_traces /*ON CLUSTER*/
(
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5))))),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple(
                trace_id String,
                span_id String,
                trace_state String,
                parent_span_id String,
                name LowCardinality(String),
                kind Int32,
                start_time_unix_nano UInt64,
                end_time_unix_nano UInt64,
                attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5)))),
                events Array(Tuple(
                    time_unix_nano UInt64,
                    name LowCardinality(String),
                    attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5)))))),
                links Array(Tuple(
                    trace_id String,
                    span_id String,
                    trace_state String,
                    attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5)))))),
                status Tuple(message String, code Int32)))))))
)
ENGINE = Null;
