"""Benchmarks: each compares within one run, on whatever machine it runs on. ``python -m benchmarks`` runs them all."""
