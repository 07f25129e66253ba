"""The whole product on one machine: the embedded stack, Airflow, real data and a demonstration.

Nothing here is needed to run the product elsewhere, and neither ``tidemark`` nor ``localaws``
may import it.
"""
