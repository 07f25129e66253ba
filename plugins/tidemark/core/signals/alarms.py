"""`infra/alarms.tf`: the alerts as CloudWatch alarms, with the same thresholds. Pure.

An alarm asks for the worst of all tables (Metrics Insights), so a new table needs no new one.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-alarms.html
"""

import json
from collections.abc import Iterator, Mapping

from tidemark.core.signals.alerts import Alert
from tidemark.core.signals.metrics import METRICS

_HEAD = """\
# Written by `python -m tidemark signals write` from include/alerts.yaml; see docs/signals.md

variable "namespace" {
  description = "where the metrics are: the CloudWatch agent's StatsD default"
  type        = string
  default     = "CWAgent"
}

variable "prefix" {
  description = "what precedes the metrics' names: Airflow's statsd_prefix, and ours"
  type        = string
  default     = "airflow_tidemark_"
}

variable "page_topics" {
  description = "ARNs of the SNS topics that wake somebody"
  type        = list(string)
  default     = []
}

variable "ticket_topics" {
  description = "ARNs of the SNS topics that wait for the morning"
  type        = list(string)
  default     = []
}

variable "rds_instance" {
  description = "the source, if it is an RDS instance; empty makes no alarms for it"
  type        = string
  default     = ""
}

variable "rds_connections" {
  description = "how many connections the source takes"
  type        = number
  default     = 1000
}

variable "redshift_clusters" {
  description = "identifiers of the warehouses that are provisioned clusters"
  type        = list(string)
  default     = []
}
"""

# (name, severity, metric of AWS/RDS, threshold, minutes, what it means)
_SOURCE = (
    ("source-connections", "ticket", "DatabaseConnections", "var.rds_connections * 0.8", 5,
     "the source's connections are used up to 80 %: look for leaks, or put a proxy before it"),
    ("source-replica-lag", "ticket", "ReplicaLag", "5", 1,
     "the replica that tables are read from is behind its primary"),
    ("source-replica-lag", "page", "ReplicaLag", "30", 1,
     "the replica that tables are read from is far behind its primary"),
    ("source-cpu", "ticket", "CPUUtilization", "80", 10,
     "the source's processor is busy"),
)  # fmt: skip


def alarms_tf(alerts: tuple[Alert, ...]) -> str:
    """Return the file, as `terraform fmt` would have it."""
    made = [*map(_alarm, alerts), _silence(), *_source_alarms(), _slow_warehouse()]
    return "\n".join([_HEAD, *made]).rstrip() + "\n"


def _alarm(alert: Alert) -> str:
    above = alert.side == "above"
    counted = METRICS[alert.metric].kind == "counter"
    worst = "SUM" if counted else "MAX" if above else "MIN"
    where = f" WHERE {alert.where[0]} = '{alert.where[1]}'" if alert.where else ""
    return _block(
        alert.name,
        alert.severity,
        {
            "alarm_description": json.dumps(alert.says, ensure_ascii=False),
            "comparison_operator": f'"{"Greater" if above else "Less"}ThanThreshold"',
            "threshold": f"{alert.threshold:g}" if alert.threshold < 1e6 else str(alert.threshold),
            "evaluation_periods": str(alert.minutes),
            "treat_missing_data": '"notBreaching"',
        },
        _query(worst, alert.metric, where),
    )


def _silence() -> str:
    """Nobody can be told by a watch that does not run."""
    return _block(
        "signals-silent",
        "page",
        {
            "alarm_description": '"the DAG alerts does not run: nobody would be told"',
            "comparison_operator": '"LessThanThreshold"',
            "threshold": "0",
            "evaluation_periods": "5",
            "treat_missing_data": '"breaching"',
        },
        _query("MAX", "open_incidents", ""),
    )


def _source_alarms() -> Iterator[str]:
    for name, severity, metric, threshold, minutes, says in _SOURCE:
        yield _block(
            name,
            severity,
            {
                "alarm_description": json.dumps(says),
                "namespace": '"AWS/RDS"',
                "metric_name": f'"{metric}"',
                "statistic": '"Average"',
                "period": "60",
                "comparison_operator": '"GreaterThanThreshold"',
                "threshold": threshold,
                "evaluation_periods": str(minutes),
                "treat_missing_data": '"missing"',
            },
            ["", "  dimensions = {", "    DBInstanceIdentifier = var.rds_instance", "  }"],
            repeated='count = var.rds_instance == "" ? 0 : 1',
        )


def _slow_warehouse() -> str:
    """Redshift tells durations every five minutes, in microseconds, and apart for those that took
    ten seconds to ten minutes (medium) or longer; below them nothing is slow.
    https://docs.aws.amazon.com/redshift/latest/mgmt/metrics-listing.html
    """
    return _block(
        "warehouse-slow",
        "ticket",
        {
            "alarm_name": '"tidemark-warehouse-slow-${each.key}-ticket"',
            "alarm_description": '"the 95th percentile of a warehouse\'s queries is above 30 s"',
            "namespace": '"AWS/Redshift"',
            "metric_name": '"QueryDuration"',
            "extended_statistic": '"p95"',
            "period": "300",
            "comparison_operator": '"GreaterThanThreshold"',
            "threshold": "30000000",
            "evaluation_periods": "2",
            "treat_missing_data": '"notBreaching"',
        },
        [
            "",
            "  dimensions = {",
            "    ClusterIdentifier = each.value[0]",
            "    latency           = each.value[1]",
            "  }",
        ],
        repeated='for_each = { for each in setproduct(var.redshift_clusters, ["medium", "long"]) : '
        'join("-", each) => each }',
    )


def _query(worst: str, metric: str, where: str) -> list[str]:
    # A query for a person's own metrics, in Terraform's quotes.
    select = f'SELECT {worst}(\\"${{var.prefix}}{metric}\\") FROM \\"${{var.namespace}}\\"{where}'  # noqa: S608
    return [
        "",
        "  metric_query {",
        '    id          = "worst"',
        f'    expression  = "{select}"',
        "    period      = 60",
        "    return_data = true",
        "  }",
    ]


def _block(
    name: str, severity: str, settings: Mapping[str, str], more: list[str], repeated: str = ""
) -> str:
    topics = f"var.{severity}_topics"
    values = {
        "alarm_name": f'"tidemark-{name}-{severity}"',
        **settings,
        "alarm_actions": topics,
        "ok_actions": topics,
    }
    width = max(map(len, values))
    head = f'resource "aws_cloudwatch_metric_alarm" "{name.replace("-", "_")}_{severity}" {{'
    lines = [f"  {key:{width}} = {value}" for key, value in values.items()]
    times = [f"  {repeated}", ""] if repeated else []
    return "\n".join([head, *times, *lines, *more, "}", ""])
