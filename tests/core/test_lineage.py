"""If these fail, catalogues draw our rows between tables that nobody else knows by these names."""

from tidemark.core.settings.target_list import parse_targets
from tidemark.core.signals.lineage import (
    Address,
    Place,
    source_place,
    staged_place,
    target_place,
)

TARGETS = parse_targets(
    """
version: 1
staging: {bucket: stage, region: us-east-1}
targets:
  primary: {role: required, region: us-east-1, cluster_identifier: c1, database: dw, db_user: u,
            iam_role: arn}
  serverless: {role: best_effort, region: eu-west-1, workgroup_name: w1, database: dw,
               iam_role: arn, database_schema: copies, staging_bucket: stage-eu}
  local: {kind: postgres, role: best_effort, conn_id: local_db}
""",
    {},
).by_name


def test_places_have_the_names_that_openlineage_gives_them():
    assert source_place(Address("db", 3307), "shop.orders") == Place(
        "mysql://db:3307", "shop.orders"
    )
    assert source_place(Address("db"), "shop.orders").namespace == "mysql://db:3306"
    assert staged_place("stage", "shop.orders") == Place("s3://stage", "staging/shop.orders")
    assert target_place(TARGETS["primary"], "orders") == Place(
        "redshift://c1.us-east-1:5439", "dw.public.orders"
    )
    assert target_place(TARGETS["serverless"], "orders") == Place(
        "redshift://w1.eu-west-1:5439", "dw.copies.orders"
    )
    assert target_place(TARGETS["local"], "orders", Address("pg", None, "app")) == Place(
        "postgres://pg:5432", "app.public.orders"
    )
