"""Runs: evaluating data, their results, and comparing them."""
