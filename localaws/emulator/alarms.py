"""Alarms that look as CloudWatch's do: over their last periods, one dimension set, or by a query.

ministack takes whatever an alarm says, adds up all series of a metric over the whole time, and
never looks at an alarm that is a Metrics Insights query. Here an alarm is refused that CloudWatch
refuses, and looked at when it is put, when data is, and when somebody asks how it stands: data
points of each period, missing ones treated as it says
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html). Smaller than
CloudWatch: of queries those without SCHEMA, GROUP BY, ORDER BY and LIMIT, and no metric math. What
it does not support it refuses by name.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudwatch

from localaws.emulator.insights import STATISTICS, Query, Unsupported, parse

Alarm = dict[str, Any]

# CloudWatch looks at more periods than it evaluates: of 3 it "retrieves 5" (the page above).
_MORE_PERIODS = 2
_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_MISSING = ("missing", "notBreaching", "breaching", "ignore")
_MOST_ACTIONS = 5

_put, _describe = cloudwatch._put_metric_alarm, cloudwatch._describe_alarms


def _put_metric_alarm(params: Any, data: Alarm, is_cbor: bool, is_json: bool = False) -> Any:
    if not (is_cbor or is_json):  # the protocol of old clients; none of this knows it
        return _put(params, data, is_cbor, is_json)
    if wrong := _wrong(data):
        return cloudwatch._error("ValidationError", wrong, 400, use_json=is_json, use_cbor=is_cbor)
    answer = _put(params, data, is_cbor, is_json)
    alarm = cloudwatch._alarms.get(data["AlarmName"])
    if answer[0] == 200 and alarm is not None and "Metrics" in data:
        for name in ("MetricName", "Namespace", "Statistic", "Period"):
            alarm.pop(name, None)
        alarm["Metrics"] = data["Metrics"]
        _evaluate(alarm)
    return answer


def _describe_alarms(*asked: Any) -> Any:
    cloudwatch._evaluate_all_alarms()  # time alone changes how an alarm stands
    return _describe(*asked)


def _wrong(data: Alarm) -> str:
    """What CloudWatch would refuse an alarm for; "" for nothing."""
    if ("Metrics" in data) == ("MetricName" in data):
        return "Exactly one element of either Metrics or MetricName must be provided."
    if data.get("ComparisonOperator") not in _BREACHES:
        return f"localaws does not support the operator {data.get('ComparisonOperator')}"
    if data.get("TreatMissingData", "missing") not in _MISSING:
        return f"Invalid option {data['TreatMissingData']} for TreatMissingData"
    if "Threshold" not in data:
        return "Threshold must be provided unless ThresholdMetricId is"
    for each in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        if len(data.get(each, ())) > _MOST_ACTIONS:
            return f"{each} may have {_MOST_ACTIONS} members at most"
    if "Metrics" not in data:
        return (
            "" if "Namespace" in data and "Period" in data else "Namespace and Period are missing"
        )
    if len(data["Metrics"]) != 1:
        return "localaws does not support alarms of several metrics"
    (asked,) = data["Metrics"]
    if not asked.get("ReturnData", True):
        return "Exactly one element of Metrics must have ReturnData true"
    if "Period" not in asked or "Expression" not in asked:
        return "A Metrics Insights query needs Expression and Period"
    try:
        parse(asked["Expression"])
    except Unsupported as error:
        return str(error)
    return ""


def _evaluate(alarm: Alarm) -> None:
    count, threshold = int(alarm["EvaluationPeriods"]), float(alarm["Threshold"])
    points = _points(alarm, count + _MORE_PERIODS)[-count:]
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    breaching = [breaches(value, threshold) for value in points]
    missing = alarm.get("TreatMissingData", "missing")
    if missing in ("breaching", "notBreaching"):
        breaching += [missing == "breaching"] * (count - len(breaching))
    if missing == "ignore" and len(breaching) < count:
        return
    if not breaching:
        _turn(alarm, "INSUFFICIENT_DATA", points)
        return
    wanted = min(int(alarm.get("DatapointsToAlarm", count)), len(breaching))
    _turn(alarm, "ALARM" if sum(breaching) >= wanted else "OK", points)


def _turn(alarm: Alarm, state: str, points: list[float]) -> None:
    before = alarm["StateValue"]
    if state == before:
        return
    crossed = f"Threshold Crossed: {points} {alarm['ComparisonOperator']} {alarm['Threshold']}"
    alarm["StateValue"], alarm["StateReason"] = state, crossed
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, state, crossed)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, crossed)
    cloudwatch._evaluate_parent_alarms(alarm)


def _points(alarm: Alarm, periods: int) -> list[float]:
    """The values of those of its last periods that have any, oldest first."""
    if "Metrics" in alarm:
        (asked,) = alarm["Metrics"]
        query, period = parse(asked["Expression"]), int(asked["Period"])
    else:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
        query = Query(statistic, alarm["MetricName"], alarm["Namespace"], dimensions, exact=True)
        period = int(alarm["Period"])
    first = math.floor(time.time() / period) - periods + 1
    found = defaultdict(list)
    for point in _matching(query):
        if (bucket := math.floor(point["Timestamp"] / period)) >= first:
            found[bucket].append(point)
    values = (_value(found[bucket], query.statistic) for bucket in sorted(found))
    return [value for value in values if value is not None]


def _matching(query: Query) -> Iterator[Alarm]:
    for (namespace, name, _), points in list(cloudwatch._metrics.items()):
        if (namespace, name) == (query.namespace, query.metric):
            yield from (each for each in points if query.takes(each.get("Dimensions") or {}))


def _value(points: list[Alarm], statistic: str) -> float | None:
    found = cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
    return None if found is None else float(found)


assert set(STATISTICS.values()) <= {"Average", "Maximum", "Minimum", "SampleCount", "Sum"}
cloudwatch._put_metric_alarm = _put_metric_alarm
cloudwatch._describe_alarms = _describe_alarms
cloudwatch._evaluate_alarm = _evaluate
