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

resource "aws_cloudwatch_metric_alarm" "freshness_page" {
  alarm_name          = "tidemark-freshness-page"
  alarm_description   = "a table is older on a target than its budget's max_lag_seconds"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}max_lag_share\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "required_load_page" {
  alarm_name          = "tidemark-required-load-page"
  alarm_description   = "a required target's load failed in 3 runs in a row"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 2
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}failed_runs\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "watermark_stuck_page" {
  alarm_name          = "tidemark-watermark-stuck-page"
  alarm_description   = "the source has rows, and the watermark does not move"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1800
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}in_flight_seconds\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "debt_expires_page" {
  alarm_name          = "tidemark-debt-expires-page"
  alarm_description   = "an owed batch is about to outlive the retention"
  comparison_operator = "LessThanThreshold"
  threshold           = 86400
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MIN(\"${var.prefix}debt_expiry_seconds\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "heartbeat_page" {
  alarm_name          = "tidemark-heartbeat-page"
  alarm_description   = "no heartbeat was written to a source"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}heartbeat_missing\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "queue_long_page" {
  alarm_name          = "tidemark-queue-long-page"
  alarm_description   = "messages come faster than they are drained"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 500000
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}queue_depth\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "queue_long_ticket" {
  alarm_name          = "tidemark-queue-long-ticket"
  alarm_description   = "messages come faster than they are drained"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 100000
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}queue_depth\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters_ticket" {
  alarm_name          = "tidemark-dead-letters-ticket"
  alarm_description   = "messages are in a dead-letter queue"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}dlq_depth\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "quarantine_ticket" {
  alarm_name          = "tidemark-quarantine-ticket"
  alarm_description   = "rows were set aside, and nobody sent them round again"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}quarantine_rows\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "source_stalled_ticket" {
  alarm_name          = "tidemark-source-stalled-ticket"
  alarm_description   = "an open transaction on the source keeps newer rows from being read"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}stalled_tables\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "schema_blocked_ticket" {
  alarm_name          = "tidemark-schema-blocked-ticket"
  alarm_description   = "a target's columns wait for somebody to choose"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT SUM(\"${var.prefix}load_failure\") FROM \"${var.namespace}\" WHERE kind = 'MigrateSchema'"
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "breaker_open_ticket" {
  alarm_name          = "tidemark-breaker-open-ticket"
  alarm_description   = "a best-effort target's loads are skipped"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 30
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}breaker_state\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "batch_unloaded_ticket" {
  alarm_name          = "tidemark-batch-unloaded-ticket"
  alarm_description   = "a committed batch is owed for too long"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 21600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}debt_age_seconds\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "signals_silent_page" {
  alarm_name          = "tidemark-signals-silent-page"
  alarm_description   = "the DAG alerts does not run: nobody would be told"
  comparison_operator = "LessThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(\"${var.prefix}open_incidents\") FROM \"${var.namespace}\""
    period      = 60
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "source_connections_ticket" {
  count = var.rds_instance == "" ? 0 : 1

  alarm_name          = "tidemark-source-connections-ticket"
  alarm_description   = "the source's connections are used up to 80 %: look for leaks, or put a proxy before it"
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnections"
  statistic           = "Average"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.rds_connections * 0.8
  evaluation_periods  = 5
  treat_missing_data  = "missing"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  dimensions = {
    DBInstanceIdentifier = var.rds_instance
  }
}

resource "aws_cloudwatch_metric_alarm" "source_replica_lag_ticket" {
  count = var.rds_instance == "" ? 0 : 1

  alarm_name          = "tidemark-source-replica-lag-ticket"
  alarm_description   = "the replica that tables are read from is behind its primary"
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  statistic           = "Average"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 1
  treat_missing_data  = "missing"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  dimensions = {
    DBInstanceIdentifier = var.rds_instance
  }
}

resource "aws_cloudwatch_metric_alarm" "source_replica_lag_page" {
  count = var.rds_instance == "" ? 0 : 1

  alarm_name          = "tidemark-source-replica-lag-page"
  alarm_description   = "the replica that tables are read from is far behind its primary"
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  statistic           = "Average"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 30
  evaluation_periods  = 1
  treat_missing_data  = "missing"
  alarm_actions       = var.page_topics
  ok_actions          = var.page_topics

  dimensions = {
    DBInstanceIdentifier = var.rds_instance
  }
}

resource "aws_cloudwatch_metric_alarm" "source_cpu_ticket" {
  count = var.rds_instance == "" ? 0 : 1

  alarm_name          = "tidemark-source-cpu-ticket"
  alarm_description   = "the source's processor is busy"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 10
  treat_missing_data  = "missing"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  dimensions = {
    DBInstanceIdentifier = var.rds_instance
  }
}

resource "aws_cloudwatch_metric_alarm" "warehouse_slow_ticket" {
  for_each = { for each in setproduct(var.redshift_clusters, ["medium", "long"]) : join("-", each) => each }

  alarm_name          = "tidemark-warehouse-slow-${each.key}-ticket"
  alarm_description   = "the 95th percentile of a warehouse's queries is above 30 s"
  namespace           = "AWS/Redshift"
  metric_name         = "QueryDuration"
  extended_statistic  = "p95"
  period              = 300
  comparison_operator = "GreaterThanThreshold"
  threshold           = 30000000
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.ticket_topics
  ok_actions          = var.ticket_topics

  dimensions = {
    ClusterIdentifier = each.value[0]
    latency           = each.value[1]
  }
}
