"""If these fail, alarms and dashboard do not say what `include/alerts.yaml` says."""

import json
import re
from pathlib import Path

import botocore.session
import hcl2
import promql_parser
import pytest
from botocore.validate import ParamValidator
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana
from tidemark.core.errors import FixConfiguration
from tidemark.core.signals.alerts import Alerts, alert_list, parse_alerts
from tidemark.core.signals.dashboard import dashboard
from tidemark.core.signals.metrics import METRICS
from tidemark.core.signals.written import PAGE, written_files

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
plugins.register_default_plugins()


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
    shown = {each["description"].removeprefix("tidemark.") for each in panels(made)}
    assert shown == {each.name for each in METRICS.values() if each.kind != "timer"}
    assert len({each["id"] for each in made["panels"]}) == len(made["panels"])


def test_grafana_knows_everything_that_the_dashboard_says():
    made = json.loads((INFRA / "grafana.json").read_text())
    assert unknown_to_grafana(made) == []
    for panel in panels(made):
        options, defaults = panel["options"], panel["fieldConfig"]["defaults"]
        common.LegendDisplayMode(options["legend"]["displayMode"])
        common.TooltipDisplayMode(options["tooltip"]["mode"])
        common.GraphTresholdsStyleMode(defaults["custom"]["thresholdsStyle"]["mode"])
        grafana.ThresholdsMode(defaults["thresholds"]["mode"])


@pytest.mark.parametrize("wrong", ["fieldConfg", "targts"])
def test_a_word_that_grafana_does_not_know_is_found(wrong):
    made = dashboard(alert_list(Alerts()))
    made["panels"][1][wrong] = {}
    assert unknown_to_grafana(made) == [f"/panels/1/{wrong}"]


def test_prometheus_understands_every_expression():
    made = json.loads((INFRA / "grafana.json").read_text())
    chosen = {each["name"]: "a" for each in made["templating"]["list"]}
    expressions = [target["expr"] for panel in panels(made) for target in panel["targets"]]
    for expression in expressions:
        promql_parser.parse(re.sub(r"\$\{?(\w+)\}?", lambda found: chosen[found[1]], expression))
    assert len(expressions) > 20
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("max by (table ({a})")


def panels(made):
    return [each for each in made["panels"] if each["type"] == "timeseries"]


def unknown_to_grafana(made):
    """Where the dashboard has something that Grafana's own types do not keep."""
    kept = json.loads(JSONEncoder().encode(grafana.Dashboard.from_json(made)))
    return list(_lost(made, kept, ""))


def _lost(said, kept, path):
    if isinstance(said, dict):
        for key, value in said.items():
            if key in kept:
                yield from _lost(value, kept[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(said, list):
        for at, (each, other) in enumerate(zip(said, kept, strict=True)):
            yield from _lost(each, other, f"{path}/{at}")
    elif said != kept:
        yield path


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
