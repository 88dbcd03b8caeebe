"""Pages of runs, judges, datasets and schedules."""
