"""SQL that the collector runs itself, a query a file."""
