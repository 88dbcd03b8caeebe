"""Lists and traces as files."""
