"""Batch evaluation of what was traced against what people said."""
