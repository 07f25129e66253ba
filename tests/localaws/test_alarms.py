"""If these fail, alarms that CloudWatch would refuse or never raise look well here."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import Endpoints
from localaws.emulator.insights import Unsupported, parse
from tests.support.terminal import aws

NAMESPACE = "CWAgent"


@pytest.fixture(scope="module")
def cloudwatch(stack: Endpoints) -> Any:
    return aws(stack, "cloudwatch")


class Watched:
    """A metric of its own, and an alarm on it."""

    def __init__(self, cloudwatch: Any) -> None:
        self.cloudwatch, self.metric = cloudwatch, f"lag_{uuid.uuid4().hex[:8]}"

    def put(self, *values: float, **dimensions: str) -> None:
        """One value for each of the last minutes, the newest last."""
        now = time.time()
        for back, value in enumerate(reversed(values)):
            datum = {
                "MetricName": self.metric,
                "Timestamp": now - back * 60,
                "Value": value,
                "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
            }
            self.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    def alarm(self, **settings: Any) -> None:
        asked = {
            "AlarmName": self.metric,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 10.0,
            "EvaluationPeriods": 1,
            **settings,
        }
        self.cloudwatch.put_metric_alarm(**asked)

    def query(self, where: str = "") -> list[dict[str, Any]]:
        text = f'SELECT MAX("{self.metric}") FROM "{NAMESPACE}"{where}'
        return [{"Id": "q", "Expression": text, "Period": 60, "ReturnData": True}]

    def state(self) -> str:
        (found,) = self.cloudwatch.describe_alarms(AlarmNames=[self.metric])["MetricAlarms"]
        return str(found["StateValue"])


@pytest.fixture
def watched(cloudwatch: Any) -> Watched:
    return Watched(cloudwatch)


def test_a_query_finds_the_worst_of_all_series(watched: Watched) -> None:
    watched.alarm(Metrics=watched.query(), TreatMissingData="notBreaching")
    assert watched.state() == "OK"
    watched.put(3, table="a", target="x")
    assert watched.state() == "OK"
    watched.put(30, table="b", target="x")
    assert watched.state() == "ALARM"


def test_a_query_may_leave_series_out(watched: Watched) -> None:
    watched.put(30, severity="ticket")
    watched.alarm(Metrics=watched.query(" WHERE severity = 'page'"))
    assert watched.state() == "INSUFFICIENT_DATA"
    watched.alarm(Metrics=watched.query(" WHERE severity != 'page'"))
    assert watched.state() == "ALARM"


def test_a_plain_alarm_looks_at_its_own_dimensions_alone(watched: Watched) -> None:
    mine = [{"Name": "DBInstanceIdentifier", "Value": "mine"}]
    plain = {"MetricName": watched.metric, "Namespace": NAMESPACE, "Statistic": "Average"}
    watched.put(30, DBInstanceIdentifier="another")
    watched.alarm(**plain, Period=60, Dimensions=mine)
    assert watched.state() == "INSUFFICIENT_DATA"
    watched.put(30, DBInstanceIdentifier="mine")
    assert watched.state() == "ALARM"


def test_all_periods_must_breach_not_their_mean(watched: Watched) -> None:
    watched.put(100, 1, 100)
    watched.alarm(Metrics=watched.query(), EvaluationPeriods=3)
    assert watched.state() == "OK"
    watched.put(100, 100, 100)
    assert watched.state() == "ALARM"


@pytest.mark.parametrize(
    ("missing", "state"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")],
)
def test_what_is_missing_is_treated_as_the_alarm_says(
    watched: Watched, missing: str, state: str
) -> None:
    watched.alarm(Metrics=watched.query(), TreatMissingData=missing)
    assert watched.state() == state


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "either Metrics or MetricName"),
        ({"MetricName": "m"}, "Namespace and Period"),
        (
            {"Metrics": [{"Id": "q", "Expression": "SELEKT", "Period": 60}]},
            "not a Metrics Insights",
        ),
        (
            {"Metrics": [{"Id": "q", "Expression": "m1 + m2", "Period": 60}]},
            "not a Metrics Insights",
        ),
        ({"Metrics": [{"Id": "q", "Expression": "SELECT MAX(m) FROM n"}]}, "Period"),
    ],
)
def test_what_is_no_alarm_is_refused(
    watched: Watched, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        watched.alarm(**settings)


def test_names_are_read_with_and_without_quotes() -> None:
    bare = parse("select max(lag) from ns where a = 'x' and b != 'y'")
    assert parse("""SELECT MAX("lag") FROM "ns" WHERE "a" = 'x' AND "b" != 'y'""") == bare
    assert (bare.statistic, bare.equal, bare.differs) == ("Maximum", {"a": "x"}, {"b": "y"})
    for beyond in ("SCHEMA(ns, a)", "ns GROUP BY a", "ns LIMIT 1", "ns WHERE a = 'x' OR b = 'y'"):
        with pytest.raises(Unsupported):
            parse(f"SELECT MAX(lag) FROM {beyond}")
