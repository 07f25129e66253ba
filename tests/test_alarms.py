"""If these fail, `infra/alarms.tf` is no Terraform, or its alarms do not wake anybody.

Terraform works the file out, CloudWatch (the stand-in's) takes what it makes of it, and a metric in
trouble is heard on the topic.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tidemark.core.signals.alerts import Alerts, alert_list

from localaws import Endpoints
from tests.support.terminal import aws
from tests.support.terraform import RESOURCE, Refused, formatted, planned
from tests.support.topic import Topic

INFRA = Path(__file__).parents[1] / "infra"
# What the AWS provider makes of a resource: expandPutMetricAlarmInput in its metric_alarm.go.
_SAME = {
    "actions_enabled": "ActionsEnabled", "alarm_actions": "AlarmActions",
    "alarm_description": "AlarmDescription", "alarm_name": "AlarmName",
    "comparison_operator": "ComparisonOperator", "datapoints_to_alarm": "DatapointsToAlarm",
    "evaluation_periods": "EvaluationPeriods", "extended_statistic": "ExtendedStatistic",
    "metric_name": "MetricName", "namespace": "Namespace", "ok_actions": "OKActions",
    "period": "Period", "statistic": "Statistic", "threshold": "Threshold",
    "treat_missing_data": "TreatMissingData", "unit": "Unit",
}  # fmt: skip
_QUERY = {"expression": "Expression", "id": "Id", "period": "Period", "return_data": "ReturnData"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped file, to work in."""
    shutil.copy(INFRA / "alarms.tf", tmp_path)
    return tmp_path


@pytest.fixture
def cloudwatch(stack: Endpoints) -> Any:
    return aws(stack, "cloudwatch")


def test_terraform_takes_it_as_it_stands_and_would_write_it_alike(folder: Path) -> None:
    assert formatted(folder) == ""
    without_source = planned(folder, {})
    assert len(without_source) >= len(alert_list(Alerts()))
    assert planned(folder, {"rds_instance": "shop"}).keys() > without_source.keys()
    warehouses = planned(folder, {"redshift_clusters": ["one", "two"]})
    assert warehouses.keys() > without_source.keys()
    names = [each["alarm_name"] for each in warehouses.values()]
    assert len(set(names)) == len(without_source) + 4


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("evaluation_periods ", "evaluation_times ", "Unsupported argument"),
        ("  alarm_name ", "  alarm_description ", "Attribute redefined"),
        ("var.page_topics", "var.page_topic", "Reference to undeclared input variable"),
        ("threshold           = 1\n", "threshold           = soon\n", "Invalid reference"),
    ],
)
def test_terraform_refuses_what_is_no_alarm(folder: Path, old: str, new: str, words: str) -> None:
    file = folder / "alarms.tf"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(Refused, match=words):
        planned(folder, {})


def test_what_goes_wrong_is_heard_once_on_the_topic_of_its_severity(
    folder: Path, stack: Endpoints, cloudwatch: Any
) -> None:
    pages, tickets = Topic(stack, "pages"), Topic(stack, "tickets")
    made = planned(
        folder,
        {
            "page_topics": [pages.arn],
            "ticket_topics": [tickets.arn],
            "rds_instance": "shop",
            "rds_connections": 200,
            "redshift_clusters": ["dw"],
        },
    )
    put(cloudwatch, "open_incidents", 0, severity="page")
    for values in made.values():
        cloudwatch.put_metric_alarm(**asked_for(values))
    assert states(cloudwatch, made) == {"OK", "INSUFFICIENT_DATA"}
    for topic in (pages, tickets):
        topic.rest()

    for value in (0.5, 1.5, 1.6):
        put(cloudwatch, "max_lag_share", value, table="shop.orders", target="primary")
    heard = json.loads(pages.next()["Message"])
    assert (heard["AlarmName"], heard["NewStateValue"]) == ("tidemark-freshness-page", "ALARM")
    assert pages.rest() == []

    rds = {"namespace": "AWS/RDS", "times": 5}
    put(cloudwatch, "DatabaseConnections", 161, **rds, DBInstanceIdentifier="another")
    assert tickets.rest() == []
    put(cloudwatch, "DatabaseConnections", 161, **rds, DBInstanceIdentifier="shop")
    heard = json.loads(tickets.next()["Message"])
    assert heard["AlarmName"] == "tidemark-source-connections-ticket"

    slow = {"namespace": "AWS/Redshift", "times": 2, "every": 300, "latency": "long"}
    put(cloudwatch, "QueryDuration", 31e6, **slow, ClusterIdentifier="dw")
    heard = json.loads(tickets.next()["Message"])
    assert heard["AlarmName"] == "tidemark-warehouse-slow-dw-long-ticket"


def asked_for(values: Mapping[str, Any]) -> dict[str, Any]:
    """The call that makes such a resource."""
    asked = {name: values[said] for said, name in _SAME.items() if values.get(said) is not None}
    if dimensions := values.get("dimensions"):
        asked["Dimensions"] = [{"Name": n, "Value": v} for n, v in dimensions.items()]
    if queries := values.get("metric_query"):
        asked["Metrics"] = [
            {name: each[said] for said, name in _QUERY.items() if each[said] is not None}
            for each in queries
        ]
    return asked


def put(
    cloudwatch: Any,
    metric: str,
    value: float,
    *,
    namespace: str = "CWAgent",
    times: int = 1,
    every: float = 60,
    **tags: str,
) -> None:
    """Send a metric as the CloudWatch agent sends ours, or so many times up to now as AWS does."""
    name = f"airflow_tidemark_{metric}" if namespace == "CWAgent" else metric
    dimensions = [{"Name": tag, "Value": said} for tag, said in tags.items()]
    now = time.time()
    data = [
        {"MetricName": name, "Value": value, "Dimensions": dimensions, "Timestamp": now - back}
        for back in (every * each for each in range(times))
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def states(cloudwatch: Any, made: Mapping[str, Any]) -> set[str]:
    assert all(address.startswith(RESOURCE) for address in made)
    found = cloudwatch.describe_alarms(AlarmNamePrefix="tidemark-", MaxRecords=100)["MetricAlarms"]
    assert len(found) == len(made)
    return {each["StateValue"] for each in found}
