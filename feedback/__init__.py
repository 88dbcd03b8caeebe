"""Assessments: the ledger of feedback that is linked to traces."""
