"""How stale a table may be: `include/freshness.yaml` as frozen values.

A budget is a row of the freshness matrix: what lag is aimed at, at what lag a copy is not read any
more, when it is read again, and what readers do meanwhile. Tables choose theirs by name or pattern.
"""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Literal, Self

from pydantic import Field, model_validator

from tidemark.core.documents import Frozen, Name, parse_document, refuse_unknown, validate
from tidemark.core.errors import FixConfiguration

FILE = "freshness.yaml"

Consistency = Literal["strong", "bounded", "eventual"]
Priority = Literal["high", "normal", "low"]
# What a reader does when no copy is inside the budget.
Fallback = Literal[
    "read_primary",
    "failover",
    "route_primary",
    "abort_retry",
    "partial_with_warning",
    "display_as_of",
    "accept_stale",
]


class Budget(Frozen):
    """How stale a table may be on a target. Times are in seconds.

    :param target_lag_seconds: the lag aimed at; the service level counts the time below it
    :param max_lag_seconds: above it the budget is broken, and the copy is not offered any more
    :param recover_below_seconds: a copy that was left is offered again when its lag has stayed
        at or below this; the target lag if not given
    :param recover_for_seconds: for so long
    :param green_below_seconds: up to this lag the badge is green; the target lag if not given
    :param yellow_below_seconds: up to this one yellow, then orange, and red above the maximum;
        halfway between target and maximum if not given
    :param consistency: what readers of this row are promised
    :param on_breach: what they do when the budget is broken
    :param service_level: the share of the time in which the lag is to be at or below the target
    :param used_by: who reads, and what for
    """

    target_lag_seconds: float = Field(default=300.0, ge=0)
    max_lag_seconds: float = Field(default=900.0, gt=0)
    recover_below_seconds: float | None = Field(default=None, ge=0)
    recover_for_seconds: float = Field(default=120.0, ge=0)
    green_below_seconds: float | None = Field(default=None, ge=0)
    yellow_below_seconds: float | None = Field(default=None, ge=0)
    consistency: Consistency = "eventual"
    on_breach: Fallback = "display_as_of"
    service_level: float = Field(default=0.995, gt=0, lt=1)
    used_by: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.target_lag_seconds > self.max_lag_seconds:
            raise ValueError("target_lag_seconds is above max_lag_seconds")
        if self.recover_below > self.max_lag_seconds:
            raise ValueError("recover_below_seconds is above max_lag_seconds: it would flap")
        if self.green_below > self.yellow_below:
            raise ValueError("green_below_seconds is above yellow_below_seconds")
        return self

    @property
    def recover_below(self) -> float:
        """The lag, in seconds, that a copy must stay at or below to be offered again."""
        return _given(self.recover_below_seconds, self.target_lag_seconds)

    @property
    def green_below(self) -> float:
        """The greatest lag, in seconds, of a green badge."""
        return _given(self.green_below_seconds, self.target_lag_seconds)

    @property
    def yellow_below(self) -> float:
        """The greatest lag, in seconds, of a yellow badge."""
        halfway = (self.target_lag_seconds + self.max_lag_seconds) / 2
        return _given(self.yellow_below_seconds, max(halfway, self.green_below))


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


class Rule(Frozen):
    """What holds for the tables and queues of one name or pattern.

    :param budget: the name of their budget on every target
    :param targets: the name of their budget on a single target, where it differs
    :param priority: low ones yield while a high one is outside its budget
    """

    budget: str | None = None
    targets: dict[str, str] = Field(default_factory=dict)
    priority: Priority = "normal"


class Heartbeat(Frozen):
    """A row that is written to a source once a minute and travels the normal way.

    :param table: ``<schema>.<table>`` of tables.yaml, a table of its own
    :param write_to: Airflow connection that may write it, where that is not the one it is read
        from: the primary of a replica that tables are read from
    """

    table: str = Field(pattern=r"^[^.]+\.[^.]+$")
    write_to: Name | None = None


class Freshness(Frozen):
    """All of `freshness.yaml`.

    :param default_budget: the budget of what no rule gives another
    :param prefer: the targets in the order in which they are offered; those that are not named
        come after, best-effort ones first, so that a copy is read before the primary
    :param refresh_seconds: how old an answer may be: the state documents are read at most so often
    :param publish_seconds: how often the as-of of all tables is written into every target, for the
        view `tidemark_freshness`; 0 is never. It keeps a warehouse awake that would sleep
    :param history_days: over how many days the service level is computed
    """

    budgets: dict[str, Budget] = Field(default_factory=lambda: {"redshift_bi": Budget()})
    default_budget: str = "redshift_bi"
    tables: dict[str, Rule] = Field(default_factory=dict)
    prefer: tuple[str, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    refresh_seconds: float = Field(default=10.0, gt=0, le=300)
    publish_seconds: float = Field(default=300.0, ge=0)
    history_days: int = Field(default=30, ge=1, le=366)

    @model_validator(mode="after")
    def _names_budgets(self) -> Self:
        named = {"default_budget": self.default_budget}
        for pattern, rule in self.tables.items():
            if rule.budget:
                named[f"tables.{pattern}.budget"] = rule.budget
            for target, budget in rule.targets.items():
                named[f"tables.{pattern}.targets.{target}"] = budget
        for key, budget in named.items():
            if budget not in self.budgets:
                raise ValueError(f"{key}: there is no budget {budget}")
        return self

    def rule(self, stream: str) -> Rule:
        """Return what holds for a table or queue: the first rule whose name or pattern fits."""
        fitting = (rule for pattern, rule in self.tables.items() if fnmatchcase(stream, pattern))
        return next(fitting, Rule())

    def budget_name(self, stream: str, target: str) -> str:
        """Return the name of the budget of a table or queue on a target."""
        rule = self.rule(stream)
        return rule.targets.get(target) or rule.budget or self.default_budget

    def budget(self, stream: str, target: str) -> Budget:
        """Return the budget of a table or queue on a target."""
        return self.budgets[self.budget_name(stream, target)]

    def in_order(self, roles: Mapping[str, str]) -> list[str]:
        """Return targets in the order in which they are offered.

        :param roles: by the name of the target, in the order of targets.yaml
        """
        named = [name for name in self.prefer if name in roles]
        others = [name for name in roles if name not in named]
        return [*named, *sorted(others, key=lambda name: roles[name] == "required")]


def parse_freshness(
    text: str,
    environ: Mapping[str, str],
    *,
    tables: Collection[str] | None,
    targets: Collection[str] | None,
    file: str = FILE,
) -> Freshness:
    """Return what a `freshness.yaml` says. Raises `FixConfiguration` naming file and key.

    :param tables: names of tables.yaml; :param targets: names of targets.yaml; None: not checked
    """
    document = parse_document(text, file, environ)
    refuse_unknown(document, set(Freshness.model_fields), file)
    freshness = validate(Freshness, document, file, "")
    for name in freshness.prefer:
        _refuse_stranger(name, targets, f"{file}: prefer", "targets.yaml")
    for pattern, rule in freshness.tables.items():
        for name in rule.targets:
            where = f"{file}: tables.{pattern}.targets"
            _refuse_stranger(name, targets, where, "targets.yaml")
    for beat in freshness.heartbeats:
        _refuse_stranger(beat.table, tables, f"{file}: heartbeats", "tables.yaml")
    return freshness


def _refuse_stranger(name: str, known: Collection[str] | None, where: str, file: str) -> None:
    if known is not None and name not in known:
        raise FixConfiguration(
            what=f"{where}: {name} is not in {file}", do=f"Add it to {file}, or mend {FILE}."
        )
