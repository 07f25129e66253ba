"""How fast a batch gets into a warehouse, beside Airflow's own operator: same files, in turn."""

VARIABLE = "BENCH_LOADING"
"""The environment variable that tells the loading process what to do, as JSON."""

UPSERT, APPEND = "S3ToRedshiftOperator, UPSERT", "S3ToRedshiftOperator, APPEND"
"""Their two ways: the first stages and replaces by key, as we do; the second only copies."""
