"""Statements on a target that are about no table of ours in particular."""

from collections.abc import Mapping
from typing import Any

from tidemark.core.errors import TryAgain
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget, Target
from tidemark.hooks.warehouses.data_api import DataApi
from tidemark.hooks.warehouses.postgres_transactions import Transactions, Tries
from tidemark.hooks.warehouses.warehouse import BRIEF, Patience


def ask(target: Target, name: str, sql: str, patience: Patience = BRIEF) -> list[dict[str, Any]]:
    """Return a query's rows, by column name. Raises `TidemarkError`.

    :param name: what the statement is called where it runs
    """
    match target:
        case RedshiftTarget():
            return DataApi(target, patience).query(sql, name)
        case PostgresTarget():
            tries = Tries(patience.seconds, patience.attempts)
            return Transactions(target, name).ask(name, sql, tries)
    raise AssertionError(f"no statements for the kind {target.kind}")


def run(
    target: Target,
    name: str,
    statements: Mapping[str, str],
    token: str,
    patience: Patience = BRIEF,
) -> None:
    """Run statements as one transaction, and wait for its end. Raises `TidemarkError`.

    :param token: of this attempt; what is sent twice under it is run once
    """
    match target:
        case RedshiftTarget():
            api = DataApi(target, patience)
            statement = api.wait(
                api.submit(list(statements.values()), name, token), patience.seconds
            )
            if statement.running:
                api.cancel(statement.id)
            if not statement.succeeded:
                raise TryAgain(
                    what=f"{name}: {statement.error or statement.status}",
                    do="Look for it in the console.",
                    target=target.name,
                    statement_id=statement.id,
                )
        case PostgresTarget():
            tries = Tries(patience.seconds, patience.attempts)
            Transactions(target, name).run(name, statements, tries)
