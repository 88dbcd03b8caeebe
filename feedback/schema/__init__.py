"""Numbered SQL files that make the feedback's part of the schema, after the collector's."""
