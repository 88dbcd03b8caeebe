"""Judges against people: where they agree, where not, and whether that changes."""
