"""Batches over stored traces and conversations."""
