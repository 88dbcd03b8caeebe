"""Datasets: records to evaluate with, in numbered versions that never change."""
