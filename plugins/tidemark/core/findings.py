"""What an examination finds: what, why it matters, what to do; on one line. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from tidemark.core.errors import TidemarkError
from tidemark.core.wording import some

_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (an error: copying stops, or will) or may become so (a warning)."""

    level: Literal["error", "warning"]
    where: str
    what: str
    why: str
    do: str

    @property
    def line(self) -> str:
        """All of it, on one line."""
        return f"{self.level:7} {self.where}: {self.what.rstrip('.')}. {self.why}. {self.do}"

    @property
    def value(self) -> dict[str, str]:
        """All of it, for JSON."""
        return asdict(self)


def refused(where: str, error: TidemarkError, why: str) -> Finding:
    """Return the finding of a question that was refused, or not answered."""
    return Finding("error", where, error.what, why, error.do)


def judge_clock(where: str, theirs: datetime, before: datetime, after: datetime) -> list[Finding]:
    """Compare a clock with ours, which was read before and after it."""
    skew = max(before - theirs, theirs - after, timedelta())
    if skew <= _SKEW:
        return []
    return [
        Finding(
            "warning",
            where,
            f"its clock and the one here differ by {skew.total_seconds():.0f} s",
            "AWS refuses calls whose time is five minutes off, and ages are computed by both",
            "Let both machines keep time by NTP.",
        )
    ]


def judge_lifecycle(
    bucket: str, rules: Iterable[Mapping[str, Any]], keep_days: float
) -> list[Finding]:
    """Look for rules of a bucket that delete what somebody needs, and for the one it should have.

    :param rules: as S3 has them
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html)
    """
    findings, aborts = [], False
    for rule in rules:
        if rule.get("Status") != "Enabled":
            continue
        aborts |= "AbortIncompleteMultipartUpload" in rule
        name, prefix = rule.get("ID", "without a name"), _prefix(rule)
        if "Expiration" not in rule or "ExpiredObjectDeleteMarker" in rule["Expiration"]:
            continue
        days = rule["Expiration"].get("Days", 0)
        if _meet(prefix, "watermark/"):
            findings.append(
                Finding(
                    "error",
                    f"bucket {bucket}",
                    f"its lifecycle rule {name!r} deletes state documents",
                    "Without its document a table stops, and is read from the beginning",
                    "Give the rule a prefix that leaves out watermark/.",
                )
            )
        if _meet(prefix, "quarantine/"):
            findings.append(
                Finding(
                    "warning",
                    f"bucket {bucket}",
                    f"its lifecycle rule {name!r} deletes rows that were set aside",
                    "They are nowhere else",
                    "Give the rule a prefix that leaves out quarantine/.",
                )
            )
        if _meet(prefix, "staging/"):
            findings.append(_staging_rule(bucket, name, days, keep_days))
    if not aborts:
        findings.append(
            Finding(
                "warning",
                f"bucket {bucket}",
                "no lifecycle rule ends unfinished uploads",
                "What a killed task had sent stays, invisible and billed",
                "Add AbortIncompleteMultipartUpload: the runbook has the command.",
            )
        )
    return findings


def _staging_rule(bucket: str, name: str, days: float, keep_days: float) -> Finding:
    what = f"its lifecycle rule {name!r} deletes batches after {days:g} days, owed or not"
    do = "Leave that to the DAG sweep_staging: give the rule a prefix that leaves out staging/."
    if days <= keep_days:
        return Finding(
            "error", f"bucket {bucket}", what, f"keep_days is {keep_days:g}: debt is lost", do
        )
    why = "A target that is away for longer can only be rebuilt"
    return Finding("warning", f"bucket {bucket}", what, why, do)


@dataclass(frozen=True, slots=True)
class Airflow:
    """What Airflow's database says of it.

    :param running: its parts that run, by the names of the commands that start them
    :param database: the kind of that database, as a URL begins
    """

    pools: frozenset[str]
    running: frozenset[str]
    database: str


def judge_airflow(airflow: Airflow, pools: Collection[str], *, defers: bool) -> list[Finding]:
    """Look for what keeps tasks from being run, and nothing says so.

    :param pools: those that tasks name; :param defers: whether any load waits in the triggerer
    """
    findings = [
        Finding(
            "error",
            "airflow",
            f"there is no pool {name}",
            "Tasks that name it are never started, and nothing says so",
            f"airflow pools set {name} 4 'tidemark'",
        )
        for name in sorted(set(pools) - airflow.pools)
    ]
    needed = {"scheduler": "No task is started", "dag-processor": "No change of a file is seen"}
    if defers:
        needed["triggerer"] = "A load that takes longer than some seconds waits for one for ever"
    findings += [
        Finding("error", "airflow", f"no {part} is running", why, f"Start one: airflow {part}")
        for part, why in needed.items()
        if part not in airflow.running
    ]
    if airflow.database.startswith("sqlite"):
        findings.append(
            Finding(
                "warning",
                "airflow",
                "its database is SQLite",
                "The scheduler dies of a locked database when people use the UI",
                "Give it PostgreSQL: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN, then airflow db migrate.",
            )
        )
    return findings


def judge_chunks(table: str, rows: int, chunk_rows: int, most: int) -> list[Finding]:
    """See whether a whole table can be cut into as many tasks as Airflow maps at most."""
    chunks = -(-rows // chunk_rows)
    if chunks <= most:
        return []
    return [
        Finding(
            "error",
            table,
            f"about {rows:,} rows are {chunks:,} chunks",
            f"Airflow maps {most:,} tasks at most (core.max_map_length), so a first load or a full "
            "refresh fails",
            f"Set chunk_rows of {table} to {-(-rows // most * 2):,} or more.",
        )
    ]


def counted(findings: Sequence[Finding]) -> str:
    """Say how many there are of each."""
    errors = sum(each.level == "error" for each in findings)
    return f"{some(errors, 'error')}, {some(len(findings) - errors, 'warning')}"


def _prefix(rule: Mapping[str, Any]) -> str:
    choice = rule.get("Filter") or {}
    whole = choice.get("And") or choice
    return str(whole.get("Prefix") or rule.get("Prefix") or "")


def _meet(prefix: str, ours: str) -> bool:
    return prefix.startswith(ours) or ours.startswith(prefix)
