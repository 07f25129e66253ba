"""A button that leads to another region's console shows an empty page at the worst moment."""

import pytest
from tidemark.core.consoles import folder_page, is_aws, warehouse_page
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget

CLUSTER = {
    "name": "primary",
    "role": "required",
    "region": "eu-central-1",
    "database": "dw",
    "iam_role": "arn:aws:iam::000000000000:role/copy",
}


def test_a_folder_and_a_warehouse_have_pages_in_their_own_region():
    page = folder_page("eu-central-1", "stage", "staging/shop.orders/2026/11/22/17/inc-e1")
    assert page == (
        "https://eu-central-1.console.aws.amazon.com/s3/buckets/stage?region=eu-central-1"
        "&prefix=staging/shop.orders/2026/11/22/17/inc-e1/"
    )
    cluster = RedshiftTarget(**CLUSTER, cluster_identifier="c1", db_user="loader")
    home = "https://eu-central-1.console.aws.amazon.com/redshiftv2/home?region=eu-central-1"
    assert warehouse_page(cluster) == f"{home}#cluster-details?cluster=c1"
    serverless = RedshiftTarget(**CLUSTER, workgroup_name="w1")
    assert warehouse_page(serverless) == f"{home}#serverless-workgroup?workgroup=w1"
    assert warehouse_page(PostgresTarget(name="pg", role="best_effort", conn_id="pg")) == ""


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_other_partitions_have_consoles_of_their_own(region, host):
    assert folder_page(region, "b", "p/").startswith(f"https://{host}/s3/buckets/b?")


@pytest.mark.parametrize(
    ("endpoint", "aws"),
    [
        ("https://s3.eu-central-1.amazonaws.com", True),
        ("https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("http://127.0.0.1:4566", False),
        ("https://amazonaws.com.example.org", False),
    ],
)
def test_only_awss_own_endpoints_have_a_console(endpoint, aws):
    assert is_aws(endpoint) is aws
