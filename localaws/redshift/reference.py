"""The table of supported statements in `localaws/README.md`, written from the code."""

from localaws.redshift.expressions import FUNCTIONS
from localaws.redshift.statements import KINDS

BEGIN_MARK = "<!-- statements -->"
END_MARK = "<!-- /statements -->"


def markdown() -> str:
    """Return the text that belongs between the two marks of the README."""
    rows = [f"| `{kind.name}` | {kind.note} |" for kind in KINDS]
    functions = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    return "\n".join(
        ["| statement | what of it |", "|---|---|", *rows, "", f"Functions: {functions}."]
    )
