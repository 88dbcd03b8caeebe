"""Reading what was collected: traces, sessions and assessments, by filters that people know from MLflow."""
