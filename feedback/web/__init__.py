"""What pages and API share: reading the store, writing the ledger."""
