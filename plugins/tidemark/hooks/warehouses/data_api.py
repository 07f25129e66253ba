"""The Redshift Data API of one target: submit, wait, fetch, find, cancel. Decides nothing.

Wraps the Amazon provider's hook, so that connections, assumed roles, `verify` and endpoints work as
they do everywhere in Airflow. https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.loading.load_failures import sort_refusal
from tidemark.core.loading.statement_accounts import (
    UNFINISHED,
    Statement,
    forgotten,
    parse_statement,
)
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.hooks.warehouses.target_data_hook import TargetDataHook
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience

_LONGEST_WAIT = 20  # seconds the service may hold one DescribeStatement; it allows 30
_BUSY = {
    "ThrottlingException",
    "ActiveStatementsExceededException",
    "ActiveSessionsExceededException",
    "ActiveWaitingRequestsExceededException",
    "TooManyRequestsException",
}
_ENDED, _UNKNOWN = "ValidationException", "ResourceNotFoundException"  # of one to be cancelled
_SLOWER = 3  # doublings of the poll interval, while a statement runs


class DataApi:
    """Statements on one target. Every call has a deadline; retries are bounded, with jitter.

    Raises `FixConfiguration` when the service refuses who we are or what we ask, `TryAgain` when it
    cannot be reached or is too busy.
    """

    def __init__(self, target: RedshiftTarget, patience: Patience = PATIENT) -> None:
        self.target, self.patience = target, patience
        self._busy_retries = target.submit_retries if patience.attempts > 1 else 0

    @cached_property
    def _client(self) -> Any:
        with self._explained("connecting"):
            return TargetDataHook(self.target, self.patience).conn

    @cached_property
    def _waits(self) -> bool:
        """Whether this botocore knows ``WaitTimeSeconds`` (1.43 does, 1.42 does not)."""
        model = self._client.meta.service_model.operation_model("DescribeStatement")
        return "WaitTimeSeconds" in model.input_shape.members

    @property
    def _where(self) -> dict[str, str]:
        target = self.target
        settings = {
            "ClusterIdentifier": target.cluster_identifier,
            "WorkgroupName": target.workgroup_name,
            "Database": target.database,
            "DbUser": target.db_user,
            "SecretArn": target.secret_arn,
        }
        return {key: value for key, value in settings.items() if value}

    def submit(self, statements: Sequence[str], name: str, token: str) -> str:
        """Submit statements as one transaction and return its id.

        :param token: ClientToken; submitting again under it within eight hours starts nothing new
        """
        answer = self._call(
            "batch_execute_statement",
            Sqls=list(statements),
            StatementName=name,
            ClientToken=token,
            **self._where,
        )
        return str(answer["Id"])

    def submit_alone(self, sql: str, name: str, token: str) -> str:
        """Submit one statement outside any transaction, and return its id."""
        answer = self._call(
            "execute_statement", Sql=sql, StatementName=name, ClientToken=token, **self._where
        )
        return str(answer["Id"])

    def describe(self, statement_id: str, wait: float = 0) -> Statement:
        """Return a statement's state, after waiting up to `wait` seconds for it to end.

        One that the service does not know any more has ended; whether it committed is not known.
        """
        answer = self.account(statement_id, wait)
        return parse_statement(answer) if answer else forgotten(statement_id)

    def account(self, statement_id: str, wait: float = 0) -> Mapping[str, Any] | None:
        """Return all that the service says of a statement, None if it does not know it: it keeps
        what it knows for 24 hours.

        :param wait: seconds that the service may take, for the statement to end
        """
        try:
            return self._call("describe_statement", Id=statement_id, **self._waiting(wait))
        except TidemarkError as error:
            if _code_behind(error) == _UNKNOWN:
                return None
            raise

    def wait(self, statement_id: str, seconds: float) -> Statement:
        """Return a statement's state once it has ended, or after `seconds` as it then is.

        A service that cannot be asked says nothing about the statement: it counts as running.
        """
        deadline = time.monotonic() + seconds
        for attempt in itertools.count():
            left = deadline - time.monotonic()
            try:
                statement = self.describe(statement_id, wait=max(0, left))
                if not statement.running or time.monotonic() >= deadline:
                    break
                long_wait = self._waits
            except TryAgain:
                statement, long_wait = Statement(statement_id, "STARTED"), False
                if time.monotonic() >= deadline:
                    break
            if not long_wait:
                time.sleep(min(max(0, left), self._pause(min(attempt, _SLOWER))))
        return statement

    def query(self, sql: str, name: str) -> list[dict[str, Any]]:
        """Run a query and return its rows, by column name.

        Raises `RelationMissing` for a table that does not exist, `TryAgain` when patience ends.
        """
        deadline = time.monotonic() + self.patience.seconds
        # Where it can, the call itself waits for the end, which saves asking for it.
        waiting = self._waiting(self.patience.seconds)
        answer = self._call(
            "execute_statement", Sql=sql, StatementName=name, **waiting, **self._where
        )
        if answer.get("Status") == "FINISHED":
            return list(self._rows(str(answer["Id"])))
        statement = self.wait(str(answer["Id"]), max(0.0, deadline - time.monotonic()))
        if statement.running:
            self.cancel(statement.id)
            raise TryAgain(
                what=f"Timeout waiting for {self.target.name} Redshift statement to complete",
                do="Check whether the warehouse is overloaded, then clear the task.",
                target=self.target.name,
                statement_id=statement.id,
            )
        if not statement.succeeded:
            if "relation" in statement.error and "does not exist" in statement.error:
                raise RelationMissing(
                    what=statement.error,
                    do="Load the table once: the load creates it.",
                    target=self.target.name,
                    statement_id=statement.id,
                )
            raise self._refusal(f"{name}: {statement.error}", statement.id)
        return list(self._rows(statement.id))

    def find(
        self,
        name: str,
        statuses: Sequence[str] = UNFINISHED,
        fits: Callable[[str], bool] | None = None,
    ) -> str | None:
        """Return the id of a statement of this name that stands so, if there is one.

        The service lists its last 24 hours. Without `statuses`: one that has not ended.

        :param fits: chooses among all names that begin with `name`
        """
        where = {k: v for k, v in self._where.items() if k not in {"DbUser", "SecretArn"}}
        for status in statuses:
            pages = self._pages(
                "list_statements", StatementName=name, Status=status, MaxResults=100, **where
            )
            for statement in (each for page in pages for each in page.get("Statements", [])):
                found = str(statement.get("StatementName", ""))
                if fits(found) if fits else found == name:
                    return str(statement["Id"])
        return None

    def cancel(self, statement_id: str) -> None:
        """Cancel a statement. One that has ended meanwhile is no error.

        A busy service is asked again for as long as patience lasts: its task is being killed.
        """
        try:
            self._call_within(self.patience.seconds, "cancel_statement", Id=statement_id)
        except TidemarkError as error:
            if (code := _code_behind(error)) in {_ENDED, _UNKNOWN}:
                return
            if not code:
                raise
            raise TryAgain(
                what=f"the statement could not be cancelled: {error.what}",
                do="Look for it in the console.",
                target=self.target.name,
                statement_id=statement_id,
            ) from error

    def cancel_named(self, name: str) -> None:
        """Cancel the statement of this name that has not ended, if there is one: while it is being
        submitted nobody has been told its id."""
        if found := self.find(name):
            self.cancel(found)

    def _rows(self, statement_id: str) -> Iterator[dict[str, Any]]:
        for page in self._pages("get_statement_result", Id=statement_id):
            names = [column["name"] for column in page["ColumnMetadata"]]
            for record in page["Records"]:
                yield dict(zip(names, map(_value, record), strict=True))

    def _pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._call(operation, **arguments, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _waiting(self, wait: float) -> dict[str, int]:
        seconds = min(_LONGEST_WAIT, round(wait), round(self.patience.seconds / 2))
        return {"WaitTimeSeconds": seconds} if self._waits and seconds >= 1 else {}

    def _call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        seconds = self.target.statement_timeout_ms / 1000
        return self._call_within(seconds, operation, **arguments)

    def _call_within(self, seconds: float, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """:param seconds: for so long a busy service is asked again"""
        deadline = time.monotonic() + seconds
        for attempt in range(self._busy_retries + 1):
            with self._explained(operation):
                try:
                    answer: Mapping[str, Any] = getattr(self._client, operation)(**arguments)
                    return answer
                except ClientError as error:
                    last = attempt == self._busy_retries or time.monotonic() >= deadline
                    if _code(error) not in _BUSY or last:
                        raise
            time.sleep(min(self._pause(attempt), max(0.0, deadline - time.monotonic())))
        raise AssertionError("unreachable")

    def _pause(self, attempt: int = 0) -> float:
        longest = min(30.0, self.target.poll_interval_seconds * 2**attempt)
        return random.uniform(longest / 2, longest)  # noqa: S311 - jitter

    @contextmanager
    def _explained(self, operation: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            said = error.response.get("Error", {}).get("Message") or error
            raise self._refusal(f"{operation}: {_code(error)}: {said}", None) from error
        except BotoCoreError as error:
            raise self._unreachable(error) from error

    def _refusal(self, what: str, statement_id: str | None) -> TidemarkError:
        family, do = sort_refusal(what)
        return family(what=what, do=do, target=self.target.name, statement_id=statement_id)

    def _unreachable(self, error: BotoCoreError) -> TidemarkError:
        return TryAgain(
            what=f"the Data API could not be reached: {error}",
            do=f"Check the connection {self.target.aws_conn_id} and the network, "
            "then clear the task.",
            target=self.target.name,
        )


class RelationMissing(FixConfiguration):
    """A query named a table that the target does not have (yet)."""


def _value(field: Mapping[str, Any]) -> Any:
    if field.get("isNull"):
        return None
    return next(iter(field.values()))


def _code_behind(error: TidemarkError) -> str:
    cause = error.__cause__
    return _code(cause) if isinstance(cause, ClientError) else ""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
