-- The shape of an OTLP ExportLogsServiceRequest: a row a request, read by FORMAT Protobuf with the reading
-- schema logs.proto. It stores nothing; otlp_logs_mv maps what passes through to otel_logs.
CREATE TABLE IF NOT EXISTS otlp_logs /*ON CLUSTER*/
(
    resource_logs Array(Tuple(
        resource Tuple(attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5))))),
        scope_logs Array(Tuple(
            scope Tuple(name String, version String, attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5))))),
            log_records Array(Tuple(
                time_unix_nano UInt64,
                observed_time_unix_nano UInt64,
                severity_number Int32,
                severity_text LowCardinality(String),
                body Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5)),
                attributes Array(Tuple(key LowCardinality(String), value Tuple(
            string_value String, bool_value Bool, int_value Int64, double_value Float64,
            array_value Tuple(values Array(Tuple(
                string_value String, bool_value Bool, int_value Int64, double_value Float64,
                kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4)))),
            kind Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,
                'array_value' = 5)))),
                flags UInt32,
                trace_id String,
                span_id String,
                event_name String)),
            schema_url LowCardinality(String))),
        schema_url LowCardinality(String)))
)
ENGINE = Null;
