"""The table of supported statements in `localaws/README.md`, written from the code."""

import re
from pathlib import Path

from localaws.redshift.expressions.rewriting import FUNCTIONS
from localaws.redshift.sql.front import KINDS

BEGIN_MARK = "<!-- statements -->"
END_MARK = "<!-- /statements -->"

DIFFERENCES = (
    "a name over 127 bytes is refused; Redshift cuts it",
    "`GRANT` and `REVOKE` check that what they name exists, and change nothing",
    "identity values have no gaps; Redshift skips numbers",
    "a column of `CREATE TABLE AS` without a declared length is `VARCHAR(65535)`, and keys are not "
    "taken over from the query's table",
    "a materialized view is computed anew by `REFRESH` only, whatever its `AUTO REFRESH` says",
    "an object in a SUPER value has its attributes in an order of the engine's, and all numbers "
    "are decimals: there is no `IS_FLOAT`",
    "a JSON null that a SUPER path reaches is `NULL`; to unnest a SUPER value that is no array is "
    "refused",
    "a quotient of DECIMALs has more digits than in Redshift",
    "a number and a text are not compared without a cast (`varchar_column = 5` is refused)",
    "`TO_DATE` and `TO_TIMESTAMP` are strict, whatever their third argument says",
    "nothing is encoded, distributed or sorted; `svv_table_info` knows no skew",
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
    "an alias of a select list is not known to the expressions behind it in the same list",
    "a correlated subquery of a pattern that Redshift does not run is refused only where the name "
    "of the outer table is written before the column",
    "the views about statements (`sys_query_history`, `stl_query` and the like) show the newest "
    "5,000 texts of the last 24 hours; all texts of a call share one transaction number there; "
    "`stl_tr_conflict` does not know the table",
    "`EXPLAIN` shows the plan of PostgreSQL",
    "keys named by `COPY` and `UNLOAD` are not checked; of roles the cluster's own may be named",
    "`COPY` reads `COMPUPDATE` and `COMPROWS` and changes no encoding; it reads on one slice, and "
    "so stops at the very error that `MAXERROR` names",
    "`COPY` of text refuses a value with a zero byte in it; Redshift may load some",
    "`UNLOAD` spreads its rows over two slices; a cluster has as many as its nodes",
)


_VIEW = re.compile(r"CREATE VIEW pg_catalog\.(\w+)")


def system_views() -> list[str]:
    """Return the names of the system views, as the catalogue's scripts define them."""
    scripts = Path(__file__).with_name("catalog").glob("*.sql")
    return sorted({name for script in scripts for name in _VIEW.findall(script.read_text())})


def markdown() -> str:
    """Return the text that belongs between the two marks of the README."""
    rows = [f"| `{kind.name}` | {kind.note} |" for kind in KINDS]
    functions = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    table = ["| statement | what of it |", "|---|---|", *rows]
    known = ["Known differences:", "", *(f"* {each}" for each in DIFFERENCES)]
    views = ", ".join(f"`{name}`" for name in system_views())
    lists = [f"Functions: {functions}.", "", f"System views: {views}."]
    return "\n".join([*table, "", *lists, "", *known])
