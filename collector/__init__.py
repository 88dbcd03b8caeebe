"""The collector: OTLP in, ClickHouse rows out, SQL over it."""
