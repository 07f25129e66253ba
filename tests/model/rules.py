"""What each rule of the protocol looks like in the product when it is switched off, and who tells.

A rule that can be switched off without anybody noticing is not tested. `make soak` makes each of
these edits in a copy of the project and demands that its tests fail there; `make test` only looks
that each edit still finds its place, and that its tests are there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# The rules that the product keeps.
KEPT = set(range(1, 25))


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A rule, the edit that breaks it (in `file`, `old`, found once, becomes `new`), and the tests
    that must fail then, as pytest names them: all of them."""

    rule: int
    says: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.says}"

    def place(self, root: Path) -> Path:
        return root / self.file

    def edited(self, text: str) -> str:
        assert text.count(self.old) == 1, f"{self.file} holds {text.count(self.old)}x: {self.old}"
        return text.replace(self.old, self.new)

    def missing(self, root: Path) -> list[str]:
        """Those of its tests that are not there."""
        return [test for test in self.tests if not _defined(root, test)]


def _defined(root: Path, test: str) -> bool:
    file, _, name = test.partition("::")
    text = (root / file).read_text() if (root / file).exists() else ""
    return re.search(rf"^def {re.escape(name.partition('[')[0])}\(", text, re.MULTILINE) is not None
