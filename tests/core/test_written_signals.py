"""If these fail, alarms and dashboard do not say what `include/alerts.yaml` says."""

import json
import re
from pathlib import Path

import botocore.session
import hcl2
import pytest
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from tidemark.core.errors import FixConfiguration
from tidemark.core.signals.alerts import Alerts, alert_list, parse_alerts
from tidemark.core.signals.dashboard import dashboard
from tidemark.core.signals.metrics import METRICS
from tidemark.core.signals.written import PAGE, written_files

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
# What https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
# asks of a dashboard, as far as it is used here.
GRAFANA = {
    "type": "object",
    "required": ["title", "uid", "schemaVersion", "panels", "time", "templating"],
    "properties": {
        "uid": {"type": "string", "maxLength": 40},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {
            "type": "array",
            "minItems": 10,
            "items": {
                "type": "object",
                "required": ["id", "type", "title", "gridPos"],
                "properties": {
                    "type": {"enum": ["row", "timeseries"]},
                    "gridPos": {
                        "required": ["x", "y", "w", "h"],
                        "properties": {"x": {"maximum": 23}, "w": {"maximum": 24}},
                    },
                },
            },
        },
    },
}


def plain(node):
    """What hcl2 parsed, without its quotes and marks of blocks."""
    if isinstance(node, dict):
        return {k.strip('"'): plain(v) for k, v in node.items() if k != "__is_block__"}
    if isinstance(node, list):
        return [plain(each) for each in node]
    if isinstance(node, str) and node.startswith('"'):
        return node[1:-1].replace('\\"', '"')
    return node


def alarms():
    document = plain(hcl2.loads((INFRA / "alarms.tf").read_text()))
    return {name: each for one in document["resource"] for found in one.values()
            for name, each in found.items()}  # fmt: skip


def test_what_is_shipped_is_what_would_be_written_now():
    alerts = parse_alerts((ROOT / "include" / "alerts.yaml").read_text(), {})
    wanted = written_files(alerts, lambda name: (ROOT / name).read_text())
    assert len(wanted) == 3
    for name, text in wanted.items():
        assert (ROOT / name).read_text() == text, "python -m tidemark signals write"


def test_every_alert_is_an_alarm_that_cloudwatch_takes():
    model = botocore.session.get_session().get_service_model("cloudwatch")
    shape = model.operation_model("PutMetricAlarm").input_shape
    found = alarms()
    for alert in alert_list(Alerts()):
        alarm = found[f"{alert.name.replace('-', '_')}_{alert.severity}"]
        (query,) = alarm["metric_query"]
        assert f"{{var.prefix}}{alert.metric}" in query["expression"]
        assert alarm["alarm_actions"] == f"${{var.{alert.severity}_topics}}"
        asked = {
            "AlarmName": alarm["alarm_name"],
            "AlarmDescription": alarm["alarm_description"],
            "ComparisonOperator": alarm["comparison_operator"],
            "Threshold": float(alarm["threshold"]),
            "EvaluationPeriods": alarm["evaluation_periods"],
            "TreatMissingData": alarm["treat_missing_data"],
            "Metrics": [
                {
                    "Id": query["id"],
                    "Expression": query["expression"],
                    "Period": query["period"],
                    "ReturnData": query["return_data"] in (True, "true"),
                }
            ],
        }
        report = ParamValidator().validate(asked, shape)
        assert not report.has_errors(), report.generate_report()
        operators = shape.members["ComparisonOperator"].enum
        assert asked["ComparisonOperator"] in operators


def test_a_threshold_that_is_changed_changes_alarm_and_dashboard():
    files = written_files(Alerts(queue_ticket=7_777), lambda _: None)
    assert all("7777" in text for text in files.values())
    assert len(files) == 2, "the page is not shipped there"


def test_the_dashboard_shows_every_number_that_is_sent_but_durations():
    made = json.loads((INFRA / "grafana.json").read_text())
    Draft202012Validator(GRAFANA).validate(made)
    panels = [each for each in made["panels"] if each["type"] == "timeseries"]
    shown = {each["description"].removeprefix("tidemark.") for each in panels}
    assert shown == {each.name for each in METRICS.values() if each.kind != "timer"}
    assert len({each["id"] for each in made["panels"]}) == len(made["panels"])
    variables = {each["name"] for each in made["templating"]["list"]}
    for panel in panels:
        for target in panel["targets"]:
            used = re.findall(r"\$\{?(\w+)\}?", target["expr"])
            assert set(used) <= variables
            assert target["expr"].count("(") == target["expr"].count(")")


def test_no_two_panels_lie_on_each_other():
    taken = set()
    for panel in dashboard(alert_list(Alerts()))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(FixConfiguration, match="no marks"):
        written_files(Alerts(), lambda name: "" if name == PAGE else None)
