"""Datasets: versions of records, and where each came from."""
