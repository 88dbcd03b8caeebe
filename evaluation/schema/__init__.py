"""Numbered SQL files that make the part of evaluation in the schema, after those of feedback."""
