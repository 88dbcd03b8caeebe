"""The API of runs, datasets, schedules and leases."""
