"""Asset events, for DAGs that run on fresh data.

The assets are named as they get their first event, below one alias: a project of a thousand tables
and three warehouses would have the DAG processor keep three thousand of them otherwise.
"""

from airflow.sdk import Asset, AssetAlias, Context

from tidemark.core.signals.asset_events import asset_name, load_event
from tidemark.operators.loading.sequence import Loading

LOADS = AssetAlias("tidemark/loads", group="tidemark")  # a DAG scheduled on it runs after each load


def tell_assets(context: Context, loading: Loading) -> None:
    """Leave the event of a load that applied something, or found that one before it had, and died
    before it could tell; Airflow enters it if the task succeeds."""
    stream, target = loading.stream.table.name, loading.target.name
    so_far = loading.so_far
    extra = load_event(loading.standing, so_far.news, loading.own, loading.receipts)
    if extra is not None:
        asset = Asset(asset_name(stream, target), group="tidemark")
        context["outlet_events"][LOADS].add(asset, extra=extra)
