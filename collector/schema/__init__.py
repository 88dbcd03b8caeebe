"""Numbered SQL files that make the schema."""
