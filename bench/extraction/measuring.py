"""The section `extraction`: who reads what, how often, in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from bench.extraction.job import Job
from bench.extraction.participants import PARTICIPANTS, Participant, missing
from bench.extraction.runs import ReadingFailed, Run, run
from bench.extraction.tables import SCHEMA, Source, Table
from bench.stack import running_stack
from localaws import Endpoints
from localaws.endpoints import environment

_WIDE3_ROUNDS = 3
_BUCKET = "bench-extraction"
_LONG = {"5": 5, "20": 20}


@dataclass(slots=True)
class Readings:
    """All that was measured of one table, by the key of the participant.

    :ivar failed: why somebody is not among the runs
    """

    title: str
    runs: dict[str, list[Run]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    :param rows: of the wide table; the longer has three times, the narrow six times as many
    :param rounds: at most so many readings each
    :param only: keys of participants; empty for all
    """

    home: Path
    rows: int
    rounds: int
    only: frozenset[str] = frozenset()


def measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Readings]:
    """Return the readings of every table. A participant that fails is told of, and left out."""
    chosen = [each for each in PARTICIPANTS if not plan.only or each.key in plan.only]
    everywhere = [each for each in chosen if each.everywhere]
    with running_stack(plan.home / "extraction") as (endpoints, owner):
        source = Source(endpoints, owner)
        say("making the tables")
        tables = source.seed(plan.rows)
        bench = _Bench(plan, endpoints, source, say)
        wide, wide3, narrow = tables["wide"], tables["wide3"], tables["narrow"]
        found = {
            "wide": bench.rounds(wide, chosen, plan.rounds),
            "narrow": bench.rounds(narrow, everywhere, plan.rounds),
            "wide3": bench.rounds(wide3, everywhere, min(_WIDE3_ROUNDS, plan.rounds)),
        }
        ours = [each for each in chosen if each.key == "wire"]
        for key, times in _LONG.items():
            found[f"long{key}"] = bench.repeated(wide, ours, times)
        return found


class _Bench:
    def __init__(
        self, plan: Plan, endpoints: Endpoints, source: Source, say: Callable[[str], None]
    ) -> None:
        self._plan, self._endpoints, self._source, self._say = plan, endpoints, source, say
        self._settings = _settings(endpoints, plan.home)

    def rounds(self, table: Table, participants: Iterable[Participant], most: int) -> Readings:
        """Let everybody read the table in turn, again and again, each time in another order."""
        readings = Readings(f"{table.rows:,} rows of {table.columns} columns")
        able = list(participants)
        for number in range(most):
            turn = number % max(1, len(able))
            for participant in able[turn:] + able[:turn]:
                if number < participant.rounds:
                    self._read(participant, table, table.query, table.rows, readings)
        return readings

    def repeated(self, table: Table, participants: Iterable[Participant], times: int) -> Readings:
        """Read the table many times over in one query, once: what counts is the memory."""
        rows = table.rows * times
        readings = Readings(f"{rows:,} rows of {table.columns} columns")
        for participant in participants:
            self._read(participant, table, table.repeated(times), rows, readings)
        return readings

    def _read(
        self, participant: Participant, table: Table, query: str, rows: int, readings: Readings
    ) -> None:
        key = participant.key
        if key in readings.failed:
            return
        if why := "" if key in readings.runs else missing(participant):
            readings.failed[key] = why
            return
        job = Job(
            host=self._endpoints.mysql_host,
            port=self._endpoints.mysql_port,
            user=self._endpoints.mysql_reader_user,
            password=self._endpoints.mysql_reader_password,
            schema=SCHEMA,
            table=table.name,
            query=query,
            directory=str((self._plan.home / "files").resolve()),
        )
        try:
            cost = run(
                participant, job, rows=rows, server=self._source.server, settings=self._settings
            )
        except ReadingFailed as error:
            readings.failed[key] = str(error)
            readings.runs.pop(key, None)
            self._source.end_sessions()
            self._say(f"{readings.title}: {participant.name}: {error}")
            return
        self._say(f"{readings.title}: {participant.name}: {cost.wall_s:.2f} s")
        readings.runs.setdefault(key, []).append(cost)


def _settings(endpoints: Endpoints, home: Path) -> dict[str, str]:
    """Make the bucket; return the variables by which Airflow's connections are found."""
    keys = environment(endpoints)
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )
    if _BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=_BUCKET)
    connection = {
        "conn_type": "mysql",
        "host": endpoints.mysql_host,
        "port": endpoints.mysql_port,
        "login": endpoints.mysql_reader_user,
        "password": endpoints.mysql_reader_password,
        "schema": SCHEMA,
        "extra": {"charset": "utf8mb4"},
    }
    return {
        **keys,
        "AIRFLOW_HOME": str((home / "airflow").resolve()),
        "AIRFLOW_CONN_BENCH_SOURCE": json.dumps(connection),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps({"conn_type": "aws"}),
    }
