"""What a Redshift database has and a PostgreSQL database has not: the scripts in catalog/."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import psycopg

from localaws.redshift.long_names import remember

_NAMES = (
    "super", "functions", "dates", "texts", "hashes", "varbytes", "numbers", "aggregates",
    "json_texts", "super_functions", "attributes", "tables", "loads", "databases", "history",
)  # fmt: skip
_SCRIPTS = tuple(Path(__file__).parents[1] / "catalog" / f"{name}.sql" for name in _NAMES)


def bring_up_to_date(connection: psycopg.Connection[Any]) -> None:
    """Run the scripts, as the superuser, unless these very scripts ran here before.

    Their views are dropped and made anew, with whatever a client defined on top of them.
    """
    scripts = [script.read_text() for script in _SCRIPTS]
    version = hashlib.sha256("".join(scripts).encode()).hexdigest()
    seen = connection.execute("SELECT obj_description(to_regnamespace('localaws'), 'pg_namespace')")
    if seen.fetchone() != (version,):
        for script in scripts:
            connection.execute(script.encode())
        connection.execute(f"COMMENT ON SCHEMA localaws IS '{version}'".encode())
    remember(connection.execute("SELECT DISTINCT short, name FROM localaws.long_names").fetchall())
