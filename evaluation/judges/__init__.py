"""Asking models for judgements: limits, budget, memory, and what becomes of an answer."""
