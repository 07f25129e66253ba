"""Sort a warehouse's refusal by who acts next. Pure: text in, one of three families out.

The patterns are pieces of Redshift's and the Data API's own wording.
"""

import re
from dataclasses import dataclass

from tidemark.core.errors import FixConfiguration, MigrateSchema, TidemarkError, TryAgain
from tidemark.core.source.misfits import BadText


class BadData(MigrateSchema):
    """A value does not fit the target's column. A load sets its row aside and goes on; raised only
    where that was not possible.

    :ivar file: the file that the target named, as far as it did; :ivar column: the column
    :ivar why: the target's own words
    """

    file: str = ""
    column: str = ""
    why: str = ""

    @property
    def bad_text(self) -> set[BadText]:
        """What it says that no text may hold."""
        found: set[BadText] = set()
        if re.search(r"0x00|hex sequence: 00\b", self.why):
            found.add("zero")
        if re.search(r"UTF-?8", self.why):
            found.add("encoding")
        return found


class NoRoom(TryAgain):
    """Rows of a batch may be in its table already: it must be merged, not copied straight in."""


class NoTombstones(TryAgain):
    """The target has nowhere to note deletions by the batch's key: the table had another one."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    family: type[TidemarkError]
    do: str


def _rule(pattern: str, family: type[TidemarkError], do: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), family, do)


_RULES = (
    _rule(
        r"not authorized to assume IAM Role|cannot assume role",
        FixConfiguration,
        "Attach the role to the warehouse and let it read the staging bucket, or correct iam_role "
        "of this target in targets.yaml; then clear the load.",
    ),
    _rule(
        r"permission denied|access ?denied|not authorized|must be owner",
        FixConfiguration,
        "Grant what the message names to the target's user or role, then clear the load.",
    ),
    _rule(
        r"incompatible Parquet schema|Unmatched number of columns|invalid type length"
        r"|column \S+ (of relation \S+ )?does not exist|is of type .* but expression",
        MigrateSchema,
        "Make the target's table match the source (ALTER TABLE … ADD COLUMN for a new column), or "
        "rebuild it from the source; then clear the load.",
    ),
    _rule(
        r"cannot alter (type of )?(a )?column|used by a view",
        MigrateSchema,
        "Mend what the message names on the target (a view can be made again WITH NO SCHEMA "
        "BINDING), or rebuild the table there from the source: its DAG with mode: resync. Then "
        "clear the load.",
    ),
    _rule(
        r"length of the data column|value too long|String length exceeds"
        r"|invalid or unsupported UTF8|invalid byte sequence|insert a NULL value|not-null field"
        r"|null value in column|violates (not-null|check) constraint"
        r"|numeric (data|field) overflow|out of range"
        r"|invalid (timestamp|date|digit)|invalid input syntax",
        BadData,
        "Mend the rows on the source, or change the column on the target (a VARCHAR is widened by "
        "ALTER TABLE … ALTER COLUMN … TYPE VARCHAR); then clear the load.",
    ),
    _rule(
        r"violates (foreign key|unique|exclusion) constraint",
        MigrateSchema,
        "Drop that constraint on the target: the source has no such rule; then clear the load.",
    ),
    _rule(
        r"other objects depend on it|because other objects depend",
        FixConfiguration,
        "A view is bound to the table that a base replaces: create it anew WITH NO SCHEMA BINDING "
        "(or drop it), then clear the load.",
    ),
    _rule(
        r"database \S+ does not exist|cluster \S+ not found|does(n't| not) exist in this account"
        r"|schema \S+ does not exist|password authentication failed|role \S+ does not exist"
        r"|no pg_hba.conf entry",
        FixConfiguration,
        "Correct this target's entry in targets.yaml, then clear the load.",
    ),
)

_AGAIN = "It is tried again while retries are left; then clear the load once the cause is gone."


def explain_failure(
    reason: str,
    *,
    failed: str | None,
    table: str,
    target: str,
    statement_id: str | None,
    details: str = "",
) -> TidemarkError:
    """Return the error to raise for a statement that failed.

    :param reason: the service's own words; :param failed: the name of the query that failed
    :param details: what the load-error view says about a COPY
    """
    what = f"{failed or 'the statement'} failed: {reason}{'; ' + details if details else ''}"
    if failed == "check_count":
        return TryAgain(
            what="the staged rows are not as many as the manifest promises; nothing was loaded",
            do="Someone changed the staged files. Read the window anew: "
            f"python -m tidemark watermark replan -t {table}",
            table=table,
            target=target,
            statement_id=statement_id,
            batch_at_fault=True,
        )
    if failed == "check_newest":
        return TryAgain(
            what="another base was applied meanwhile; nothing was changed",
            do="Clear the load: it asks the ledger which base is the newest.",
            table=table,
            target=target,
            statement_id=statement_id,
        )
    if failed == "check_room":
        return NoRoom(
            what="there is something already where the rows go, or the batch is held; nothing was "
            "changed",
            do="Clear the load: it asks the ledger, and merges what is not held.",
            table=table,
            target=target,
            statement_id=statement_id,
        )
    family: type[TidemarkError] = TryAgain
    do = _AGAIN
    if failed == "drop_deleted" and _NO_TOMBSTONES.search(reason):
        family = NoTombstones
    for rule in _RULES:
        if rule.pattern.search(f"{reason} {details}"):
            family, do = rule.family, rule.do
            break
    error = family(
        what=what,
        do=do,
        table=table,
        target=target,
        statement_id=statement_id,
        batch_at_fault=issubclass(family, MigrateSchema) or (family is TryAgain and bool(details)),
    )
    if isinstance(error, BadData):
        error.why = "; ".join(part for part in (details, reason) if part)
        error.file = _first(_FILE, f"{details} {reason}")
        error.column = _first(_COLUMN, f"{details} {reason}")
    return error


_NO_TOMBSTONES = re.compile(r"_tidemark_tombstones__\S* does not exist")
_CONFLICT = re.compile(
    r"\b1023\b|serializable isolation violation|could not serialize|deadlock detected",
    re.IGNORECASE,
)


def is_conflict(error: TidemarkError) -> bool:
    """Return whether a transaction was rolled back for another's sake: once more may do.

    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    """
    return isinstance(error, TryAgain) and _CONFLICT.search(error.what) is not None


_FILE = re.compile(r"(s3://[^\s,]+)")
_COLUMN = re.compile(r'\bcolumn "?(\w+)')


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def sort_refusal(reason: str) -> tuple[type[TidemarkError], str]:
    """Return the family of a refusal that names no batch, and what to do about it."""
    for rule in (*_RULES, *_REFUSALS):
        if rule.pattern.search(reason):
            return rule.family, rule.do
    return TryAgain, _AGAIN


_REFUSALS = (
    _rule(
        r"UnrecognizedClientException|InvalidClientTokenId|ExpiredToken|SignatureDoesNotMatch"
        r"|NoCredentials|ResourceNotFoundException",
        FixConfiguration,
        "Correct this target's entry in targets.yaml or the credentials of its connection, then "
        "clear the load.",
    ),
)
