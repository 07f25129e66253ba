"""The clauses that let COPY and UNLOAD into S3, and who may use them.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
"""

from __future__ import annotations

from dataclasses import dataclass

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor

CLAUSES = (
    "iam_role",
    "credentials",
    "access_key_id",
    "secret_access_key",
    "session_token",
)


@dataclass(frozen=True, slots=True)
class Access:
    """One authorization: a role ("default" or an ARN), or keys, which S3 itself must judge."""

    role: str = ""
    keys: tuple[str, ...] = ()

    def require(self, attached: str, user_arn: str) -> None:
        """Raise StatementError unless it names the role that is attached to the cluster."""
        if self.role and self.role not in (attached, "default"):
            # https://github.com/snowplow/snowplow-rdb-loader looks for this text
            raise StatementError(
                f"ERROR: User {user_arn} is not authorized to assume IAM Role {self.role}"
            )


class Clauses:
    """Collects the authorization clauses of one statement, in any order."""

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._given: dict[str, str] = {}

    def take(self, clause: str, cursor: Cursor) -> None:
        """Read the value behind one of CLAUSES."""
        if clause in self._given:
            # PostgreSQL's words for an option given twice; that they hold here is unsourced.
            raise StatementError("ERROR: conflicting or redundant options")
        if clause == "iam_role" and cursor.skip_words("default"):
            self._given[clause] = "default"
            return
        if clause == "credentials":
            cursor.skip_words("as")
        self._given[clause] = cursor.string()

    def access(self) -> Access:
        """Return what they say together. Raises StatementError for none, a mixture or nonsense."""
        given = set(self._given)
        keys = given - {"iam_role", "credentials"}
        ways = [way for way in ({"iam_role"} & given, {"credentials"} & given, keys) if way]
        if len(ways) != 1:
            # None or several; wording unsourced.
            raise StatementError(
                f"ERROR: {self._statement} needs an authorization clause, and only one: IAM_ROLE, "
                "CREDENTIALS, or ACCESS_KEY_ID with SECRET_ACCESS_KEY"
            )
        if "iam_role" in given:
            return Access(role=_role(self._given["iam_role"]))
        if "credentials" in given:
            return _from_string(self._given["credentials"])
        if not {"access_key_id", "secret_access_key"} <= keys:
            raise StatementError(  # wording unsourced
                "ERROR: ACCESS_KEY_ID and SECRET_ACCESS_KEY must be given together"
            )
        return Access(keys=tuple(self._given[name] for name in sorted(keys)))


def _from_string(text: str) -> Access:
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    if "master_symmetric_key" in parts:
        raise NotSupported("files encrypted by the client (master_symmetric_key)")
    if set(parts) == {"aws_iam_role"}:
        return Access(role=_role(parts["aws_iam_role"]))
    names = {"aws_access_key_id", "aws_secret_access_key"}
    if any(char.isspace() for char in text) or set(parts) - {"token"} != names:
        # https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
        raise StatementError(
            "ERROR: Invalid credentials. Must be of the format: credentials 'aws_iam_role=...' or "
            "'aws_access_key_id=...;aws_secret_access_key=...[;token=...]'"
        )
    return Access(keys=tuple(parts.values()))


def _role(text: str) -> str:
    if "," in text:
        raise NotSupported("chained IAM roles")
    return text
