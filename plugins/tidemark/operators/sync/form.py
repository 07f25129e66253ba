"""The trigger form of a table's DAG: typed, explained, and harmless as it stands.

Names stand in bold, not in backquotes: Airflow draws those over the lines above and below.
"""

from collections.abc import Sequence

from airflow.sdk import Param

from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Target

_TIME = "In JSON with its zone: 2026-01-31T00:00:00+00:00."


def trigger_form(table: Table, targets: Sequence[Target]) -> dict[str, Param]:
    """Return what a person may say when triggering a table's DAG; into ``dag.params``, after the
    tasks are made. As it stands, a run does what the schedule does.

    The same names go into REST's ``conf``, ``airflow dags trigger --conf`` and backfills. Given to
    the DAG as it is made, they would be checked anew for each DAG and copied into each of its
    tasks, which took two thirds of the time that a thousand tables take to parse.
    """
    return (
        _what(table.strategy)
        | _when(table.strategy, table.cursor)
        | _how(tuple(target.name for target in targets if target.enabled))
    )


def _what(strategy: str) -> dict[str, Param]:
    return {
        "mode": Param(
            "increment",
            type="string",
            enum=["increment", "full_refresh", "resync"],
            values_display={
                "increment": "increment: what changed",
                "full_refresh": "full refresh: the whole table, anew, on all targets",
                "resync": "resync: the whole table, anew, on the targets chosen below",
            },
            title="What to copy",
            description_md="A *full refresh* or *resync* reads the whole table and puts it in the "
            "old one's place in one step: readers see the old rows or the new ones, and rows that "
            "were deleted at the source go."
            + (" This table is always copied whole." if strategy == "full" else ""),
            section="What",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description_md="Only say what would be done: window, rows, chunks and SQL, in the log "
            "of **plan_increment**. Nothing is changed.",
            section="What",
        ),
    }


def _when(strategy: str, cursor: str) -> dict[str, Param]:
    no_window = (
        f"\n\n**Not for this table**: with **strategy: {strategy}** no window can be read."
        if strategy != "incremental"
        else ""
    )
    return {
        "since": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Read again from",
            description_md=f"Rows whose **{cursor}** is at or after this time are read again. "
            f"Any span is *one* run, cut into chunks: the cheap way to backfill. The watermark "
            f"stays, and no newer row is overwritten. {_TIME}{no_window}",
            section="Window",
        ),
        "until": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Read again up to",
            description_md=f"Only rows whose **{cursor}** is before this time. Empty: up to "
            f"now. {_TIME}",
            section="Window",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="At most so many rows",
            description_md="Ends the window there, rounded up so that no two rows with one "
            f"**{cursor}** are parted; the next run goes on. For a first try at a table.",
            section="Window",
        ),
    }


def _how(targets: tuple[str, ...]) -> dict[str, Param]:
    return {
        "targets": Param(
            [],
            type="array",
            items={"type": "string"},
            examples=list(targets),
            title="Only for these targets",
            description_md="Empty: all. For a *resync*: which are rebuilt. With a window: who gets "
            "it. For an increment the targets that the watermark waits for must be among them.",
            section="How",
        ),
        "stages": Param(
            "all",
            type="string",
            enum=["all", "extract", "load"],
            values_display={
                "all": "all: read and load",
                "extract": "extract only: read the source, touch no warehouse",
                "load": "load only: leave the source alone",
            },
            title="Stages",
            description_md="*Extract only* leaves the batch in flight; the next run loads it. "
            "*Load only* loads what was read already, and what targets owe, without asking the "
            "source for anything.",
            section="How",
        ),
    }
