"""Labeling: questions, sessions of items, and the people who answer."""
