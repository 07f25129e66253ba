"""How fast a batch gets into a warehouse, beside Airflow's own operator: same files, in turn."""

VARIABLE = "BENCH_LOADING"
"""The environment variable that tells the loading process what to do, as JSON."""
