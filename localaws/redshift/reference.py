"""The table of supported statements in `localaws/README.md`, written from the code."""

from localaws.redshift.expressions import FUNCTIONS
from localaws.redshift.front import KINDS

BEGIN_MARK = "<!-- statements -->"
END_MARK = "<!-- /statements -->"

DIFFERENCES = (
    "names over 63 bytes are refused; Redshift allows 127",
    "a cast to `VARCHAR(n)` cuts after n characters, not bytes (a column does count bytes)",
    "`ENCODE`, `DISTKEY`, `SORTKEY`, `DISTSTYLE` are read and dropped; `pg_table_def` shows none",
    "every user may do everything: there are no privileges, and secrets are not looked up",
    "`WithEvent` is read and sends nothing; workgroups are known by their names only, not by ARN",
    "every caller is the same one: `RoleLevel` changes nothing, and without `DbUser` the user is "
    "`IAM:localaws`",
    "at most ten callers may wait for the same statement; AWS has a limit and does not say which",
    "every statement fixes its transaction's snapshot, also a `SELECT` without a table, and before "
    "it waits for a lock, so error 1023 comes more often than in Redshift",
    "a cluster keeps 60 sessions at a time; Redshift keeps 500",
    "a session has no queue: while it is busy, another statement for it is refused, in the words "
    "for a session that ended",
    "`BEGIN … ISOLATION LEVEL` is read and dropped: the database's level counts (`--isolation`, "
    "`CREATE DATABASE … ISOLATION LEVEL`)",
    "what fixes the result of `json_serialization_enable`, `navigate_super_null_on_error` and "
    "other such parameters is not done: they take their defaults only",
    "a paused cluster refuses new statements, in words of our own, and aborts what runs; "
    "`DescribeStatement` and the like go on answering",
    "a `ClientToken` that returns with another request is refused; AWS does not say what it does",
    "a result comes in pages of at most 1,000 rows and 400 KB; AWS does not say how large its are",
    "error details leave out the numbers of queries and processes",
)


def markdown() -> str:
    """Return the text that belongs between the two marks of the README."""
    rows = [f"| `{kind.name}` | {kind.note} |" for kind in KINDS]
    functions = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    table = ["| statement | what of it |", "|---|---|", *rows]
    known = ["Known differences:", "", *(f"* {each}" for each in DIFFERENCES)]
    return "\n".join([*table, "", f"Functions: {functions}.", "", *known])
