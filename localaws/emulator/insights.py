"""Metrics Insights, as far as alarms on one series need it. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STATISTICS = {
    "AVG": "Average",
    "COUNT": "SampleCount",
    "MAX": "Maximum",
    "MIN": "Minimum",
    "SUM": "Sum",
}

_NAME = r'(?:"(?:[^"\\]|\\.)+"|[A-Za-z_][A-Za-z0-9_]*)'
_SELECT = re.compile(
    rf"\s*SELECT\s+(\w+)\s*\(\s*({_NAME})\s*\)\s+FROM\s+({_NAME})(?:\s+WHERE\s+(.+?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(rf"\s*({_NAME})\s*(!?=)\s*'((?:[^'\\]|\\.)*)'\s*", re.DOTALL)
_AND = re.compile(r"\bAND\b", re.IGNORECASE)


class Unsupported(ValueError):
    """Not a query, or one that is not supported here."""


@dataclass(frozen=True)
class Query:
    """What to look at.

    :param equal: dimensions and their values; :param differs: ones that must not have these
    :param exact: series have these dimensions and no others
    """

    statistic: str
    metric: str
    namespace: str
    equal: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False

    def takes(self, dimensions: Mapping[str, str]) -> bool:
        """Whether a series with these dimensions is meant."""
        if self.exact:
            return dict(dimensions) == dict(self.equal)
        return self.equal.items() <= dimensions.items() and all(
            name in dimensions and dimensions[name] != value for name, value in self.differs.items()
        )


def parse(text: str) -> Query:
    """Return what a query asks for. Raises `Unsupported`, with its words."""
    found = _SELECT.fullmatch(text)
    statistic = STATISTICS.get(found[1].upper()) if found else None
    if found is None or statistic is None:
        raise Unsupported(f"not a Metrics Insights query that localaws supports: {text}")
    equal: dict[str, str] = {}
    differs: dict[str, str] = {}
    for each in _AND.split(found[4]) if found[4] else ():
        condition = _CONDITION.fullmatch(each)
        if condition is None:
            raise Unsupported(f"not a condition that localaws supports: {each.strip()}")
        (equal if condition[2] == "=" else differs)[_plain(condition[1])] = condition[3]
    return Query(statistic, _plain(found[2]), _plain(found[3]), equal, differs)


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name
