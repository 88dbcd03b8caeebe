"""What a stranger's SQL may be made of, besides functions: statements, clauses, tables, formats and settings.

Every list is of what is allowed: what the engine learns tomorrow is refused until somebody looks at it.
"""


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


STATEMENTS = _words("SELECT WITH EXPLAIN DESCRIBE SHOW EXISTS")
"""The first word of a statement as the engine writes it."""

NODES = _words(
    """
    ArrayJoin Asterisk Collation ColumnsApplyTransformer ColumnsExceptTransformer ColumnsListMatcher
    ColumnsRegexpMatcher ColumnsReplaceTransformer ColumnsReplaceTransformer::Replacement ColumnsTransformerList
    DescribeQuery ExistsDatabaseQuery ExistsTableQuery ExistsViewQuery Explain ExpressionList Function Identifier
    InterpolateElement Literal OrderByElement QualifiedAsterisk QualifiedColumnsListMatcher
    QualifiedColumnsRegexpMatcher SampleRatio SelectIntersectExceptQuery SelectQuery SelectWithUnionQuery Set
    ShowColumns ShowCreateDatabaseQuery ShowCreateTableQuery ShowCreateViewQuery ShowFunctions ShowIndexes ShowTables
    Subquery TableExpression TableIdentifier TableJoin TablesInSelectQuery TablesInSelectQueryElement
    WindowDefinition WindowListElement WithElement
    """
)
"""Kinds of node of the syntax tree."""

EXPLAINS = frozenset(
    {
        "EXPLAIN",
        "EXPLAIN AST",
        "EXPLAIN SYNTAX",
        "EXPLAIN QUERY TREE",
        "EXPLAIN PIPELINE",
        "EXPLAIN ESTIMATE",
    }
)
"""Kinds of ``EXPLAIN`` (``PLAN`` is written without its name)."""

SHOW_WORDS = _words(
    """
    CHANGED COLUMNS CREATE DATABASE DATABASES EXTENDED FROM FULL FUNCTIONS ILIKE INDEXES LIKE LIMIT NOT SETTINGS SHOW
    TABLE TABLES VIEW
    """
)
"""The keywords of ``SHOW``. It has no ``WHERE`` here: the engine's tree does not show that clause."""

KEYWORDS_BEFORE_BRACKET = _words(
    """
    ALL AND AS BETWEEN BY CUBE DISTINCT ELSE EXCEPT FROM GLOBAL HAVING ILIKE IN INTERPOLATE INTERSECT JOIN LIKE LIMIT
    MATERIALIZED NOT OFFSET ON OR OVER PREWHERE QUALIFY REPLACE ROLLUP SAMPLE SELECT SETS STALENESS STEP TABLE THEN TO
    UNION USING WHEN WHERE WITH COLUMNS
    """
)
"""Keywords that may stand before a round bracket; any other word there is the name of a function."""

TABLE_FUNCTIONS = _words(
    "SQLStandardValues generateSeries generate_series numbers numbers_mt primes values view zeros zeros_mt"
)
"""Table functions that make rows out of nothing or out of a query that is itself judged. Not those that take any
structure as a string (``generateRandom``, ``null``): a column's ``ALIAS`` in it may call any function."""

SECRET_TABLES = frozenset({"hansei_keys"})
"""Tables that are not a reader's, in whatever database: the only list here of what is refused."""

SYSTEM_TABLES = _words(
    """
    aggregate_function_combinators collations columns completions contributors current_roles data_skipping_indices
    data_type_families database_engines databases dictionaries enabled_roles events formats functions keywords
    licenses merge_tree_settings merges metrics mutations numbers numbers_mt one parts parts_columns projection_parts
    projections settings table_engines table_functions tables time_zones unicode view_refreshes zeros zeros_mt
    """
)
"""Tables of ``system`` that describe the data and the engine. Not among them: what shows other people's statements
(``processes``, ``statements``, ``errors`` …), users and grants, configuration, files, memory and addresses."""

INFORMATION_SCHEMA_TABLES = _words(
    """
    character_sets collations columns engines key_column_usage referential_constraints schemata statistics tables views
    """
)
"""Views of ``information_schema``, which describe the same as ``system.tables`` and ``system.columns``."""

REFUSED_FORMATS = {
    "AvroConfluent": "talks to a schema registry",
    "MySQLWire": "is for another protocol",
    "ODBCDriver2": "is for another protocol",
    "PostgreSQLWire": "is for another protocol",
    "Protobuf": "needs a schema from a file",
    "ProtobufList": "needs a schema from a file",
    "ProtobufSingle": "needs a schema from a file",
    "Template": "reads its template from a file",
}
"""Formats that were looked at and refused, with the reason."""

FORMATS = _words(
    """
    Arrow ArrowStream Avro BSONEachRow Buffers CSV CSVWithNames CSVWithNamesAndTypes CustomSeparated
    CustomSeparatedWithNames CustomSeparatedWithNamesAndTypes GeoJSON Hash HiveText JSON JSONColumns
    JSONColumnsWithMetadata JSONCompact JSONCompactColumns JSONCompactEachRow JSONCompactEachRowWithNames
    JSONCompactEachRowWithNamesAndTypes JSONCompactEachRowWithProgress JSONCompactStrings JSONCompactStringsEachRow
    JSONCompactStringsEachRowWithNames JSONCompactStringsEachRowWithNamesAndTypes
    JSONCompactStringsEachRowWithProgress JSONEachRow JSONEachRowWithProgress JSONL JSONLines JSONObjectEachRow
    JSONStrings JSONStringsEachRow JSONStringsEachRowWithProgress LineAsString LineAsStringWithNames
    LineAsStringWithNamesAndTypes MD Markdown MsgPack NDJSON Native Npy Null ORC PNG Parquet Pretty PrettyCompact
    PrettyCompactMonoBlock PrettyCompactNoEscapes PrettyCompactNoEscapesMonoBlock PrettyJSONEachRow PrettyJSONLines
    PrettyMonoBlock PrettyNDJSON PrettyNoEscapes PrettyNoEscapesMonoBlock PrettySpace PrettySpaceMonoBlock
    PrettySpaceNoEscapes PrettySpaceNoEscapesMonoBlock Prometheus Raw RawBLOB RawWithNames RawWithNamesAndTypes
    RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes SQLInsert TSKV TSV TSVRaw TSVRawWithNames
    TSVRawWithNamesAndTypes TSVWithNames TSVWithNamesAndTypes TabSeparated TabSeparatedRaw TabSeparatedRawWithNames
    TabSeparatedRawWithNamesAndTypes TabSeparatedWithNames TabSeparatedWithNamesAndTypes Values Vertical XML
    """
)
"""Output formats that need nothing but the rows."""

TRANSPORT_PARAMETERS = _words(
    """
    query query_id database default_format user password quota_key role session_id session_timeout session_check
    wait_end_of_query buffer_size enable_http_compression http_zlib_compression_level send_progress_in_http_headers
    http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close client_protocol_version stacktrace
    add_http_cors_header compress decompress
    """
)
"""URL parameters of the transport. Some are obeyed; the others ask for what this address does anyway or never."""

IGNORED_SETTINGS = _words(
    """
    connect_timeout http_connection_timeout http_receive_timeout http_response_buffer_size http_send_timeout
    http_wait_end_of_query http_write_exception_in_output_format log_comment log_queries
    output_format_parallel_formatting receive_timeout send_timeout use_client_time_zone use_query_cache
    """
)
"""Settings that clients send by habit and that change nothing of a result; taken and dropped."""

BOUNDED_SETTINGS = _words(
    "max_execution_time max_memory_usage max_result_rows max_result_bytes max_rows_to_read max_threads"
)
"""Limits: a query may set itself a lower one, never a higher one."""

SETTINGS = _words(
    """
    aggregate_functions_null_for_empty any_join_distinct_right_table_keys asterisk_include_alias_columns
    asterisk_include_materialized_columns cast_keep_nullable cast_string_to_dynamic_use_inference
    date_time_input_format date_time_output_format
    date_time_overflow_behavior empty_result_for_aggregation_by_constant_keys_on_empty_set
    empty_result_for_aggregation_by_empty_set enable_named_columns_in_function_tuple extremes final
    format_csv_delimiter format_csv_null_representation format_custom_escaping_rule format_custom_field_delimiter
    format_custom_result_after_delimiter format_custom_result_before_delimiter format_custom_row_after_delimiter
    format_custom_row_before_delimiter format_custom_row_between_delimiter
    format_json_object_each_row_column_for_object_name format_tsv_null_representation
    formatdatetime_f_prints_single_zero formatdatetime_format_without_leading_zeros
    formatdatetime_parsedatetime_m_is_month_name group_by_overflow_mode group_by_use_nulls join_algorithm
    join_default_strictness join_use_nulls limit max_block_size offset optimize_aggregation_in_order
    optimize_move_to_prewhere optimize_read_in_order output_format_arrow_compression_method
    output_format_arrow_fixed_string_as_fixed_byte_array output_format_arrow_low_cardinality_as_dictionary
    output_format_arrow_string_as_string output_format_arrow_unsupported_types_as_binary
    output_format_avro_codec output_format_binary_encode_types_in_binary_format
    output_format_binary_write_json_as_string output_format_csv_crlf_end_of_line
    output_format_csv_serialize_tuple_into_separate_columns output_format_decimal_trailing_zeros
    output_format_float_precision output_format_json_array_of_rows output_format_json_escape_forward_slashes
    output_format_json_map_as_array_of_tuples output_format_json_named_tuples_as_objects
    output_format_json_pretty_print output_format_json_quote_64bit_floats output_format_json_quote_64bit_integers
    output_format_json_quote_decimals output_format_json_quote_denormals
    output_format_json_skip_null_value_in_named_tuples output_format_json_validate_utf8
    output_format_markdown_escape_special_characters output_format_msgpack_uuid_representation
    output_format_native_encode_types_in_binary_format
    output_format_native_use_flattened_dynamic_and_json_serialization output_format_native_write_json_as_string
    output_format_orc_compression_method output_format_orc_string_as_string
    output_format_parquet_compliant_nested_types output_format_parquet_compression_method
    output_format_parquet_date_as_uint16 output_format_parquet_datetime_as_uint32
    output_format_parquet_fixed_string_as_fixed_byte_array output_format_parquet_string_as_string
    output_format_parquet_version output_format_pretty_color output_format_pretty_display_footer_column_names
    output_format_pretty_fallback_to_vertical output_format_pretty_grid_charset
    output_format_pretty_highlight_digit_groups output_format_pretty_max_column_pad_width
    output_format_pretty_max_rows output_format_pretty_max_value_width output_format_pretty_multiline_fields
    output_format_pretty_named_tuples_as_json output_format_pretty_row_numbers
    output_format_pretty_single_large_number_tip_threshold output_format_sql_insert_include_column_names
    output_format_sql_insert_max_batch_size output_format_sql_insert_quote_names
    output_format_sql_insert_table_name output_format_sql_insert_use_replace output_format_trim_fixed_string
    output_format_tsv_crlf_end_of_line output_format_write_statistics prefer_column_name_to_alias
    read_overflow_mode result_overflow_mode session_timezone totals_mode transform_null_in
    union_default_mode use_skip_indexes
    """
)
"""Settings that shape a result and reach no further."""
