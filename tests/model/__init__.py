"""The product against a model of it: random schedules of changes, runs and faults."""
