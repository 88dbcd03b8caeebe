"""Feedback from an end user's browser: tokens, their endpoint, and the element that a page drops in."""
