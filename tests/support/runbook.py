"""docs/runbook.md as the on-call engineer uses it: look words up, read an entry, type what it says.

runbook = read_runbook()
entry = runbook.look_up("tidemark.core.errors.FixConfiguration: shop.orders: refusing to guess: …")
entry.command("watermark restore")        # the line, as it stands there
runbook.clears("load_primary")            # what the table of red tasks says to clear
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
WORDS, KINDS, TASKS = "Find it by its words", "Which kind of error?", "Which task is red?"
_COMMAND = re.compile(r"python -m tidemark ((?:[^`\n#|]|`(?=\S))+)")
_ROW = re.compile(r"^\| (?!---)(.+) \|$", re.MULTILINE)
_CLEAR = re.compile(r"[Cc]lear (?:it|the \w+|`(?P<task>\w+)`)(?P<downstream> with downstream)?")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Entry:
    """One entry: a symptom as title, and what to look at and to do."""

    title: str
    text: str

    @property
    def link(self) -> str:
        """The anchor that Markdown gives the title."""
        return "#" + re.sub(r"[^\w -]", "", self.title.lower()).replace(" ", "-")

    @property
    def commands(self) -> list[str]:
        """Every command that is written there, without its comment."""
        return [line.strip() for line in _COMMAND.findall(self.text)]

    def command(self, verb: str) -> str:
        """The first command with this verb, such as ``watermark restore``."""
        found = [line for line in self.commands if re.match(rf"{verb}\b", line)]
        assert found, f"{self.title!r} names no `python -m tidemark {verb}`: {self.commands}"
        return found[0]

    def form(self, mode: str) -> dict[str, Any]:
        """What is to be filled into the trigger form for a mode, as the entry writes it."""
        texts = [text for text in _CODE.findall(self.text) if text.startswith("{")]
        found = [form for text in texts if (form := json.loads(text)).get("mode") == mode]
        assert found, f"{self.title!r} names no form with mode {mode}: {texts}"
        return found[0]


@dataclass(frozen=True)
class Runbook:
    """All entries, by title."""

    entries: dict[str, Entry]

    @property
    def words(self) -> list[tuple[str, str]]:
        """Words that the product says, and the title of their entry; ``…`` is what varies."""
        return [
            (words, self._linked(cells[-1]))
            for cells in self._rows(WORDS)
            for words in _CODE.findall(cells[0])
        ]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Classes of errors, and the title of their entry."""
        return [
            (name, self._linked(cells[-1]))
            for cells in self._rows(KINDS)
            for name in _CODE.findall(cells[0])
        ]

    def look_up(self, said: str) -> tuple[str, Entry]:
        """The first words of the table that are in what was said, and their entry."""
        for words, title in self.words:
            if says(words, said):
                return words, self.entries[title]
        raise AssertionError(f"{WORDS!r} has nothing for: {said}")

    def clears(self, task: str, *, best_effort: bool = False) -> tuple[str, bool]:
        """What is to be cleared when a task is red, and whether with what lies downstream."""
        role = "best effort" if best_effort else "required"
        row = re.sub(r"^load_.*", f"load_<{role}>", task)
        ((*_, do),) = [cells for cells in self._rows(TASKS) if cells[0] == f"`{row}`"]
        found = _CLEAR.search(do)
        assert found, f"the row of {row} does not say what to clear: {do}"
        return found["task"] or task, bool(found["downstream"])

    def _rows(self, title: str) -> Iterator[list[str]]:
        _, *rows = _ROW.findall(self.entries[title].text)
        for row in rows:
            yield [cell.strip() for cell in row.split(" | ")]

    def _linked(self, cell: str) -> str:
        ((title, link),) = re.findall(r"\[([^\]]+)\]\((#[^)]+)\)", cell)
        assert title in self.entries, f"there is no entry {title!r}"
        assert self.entries[title].link == link, f"{title!r} is at {self.entries[title].link}"
        return title


def says(words: str, text: str) -> bool:
    """Whether words of the table are in a text, whatever stands for their ``…``."""
    return re.search(".*".join(map(re.escape, words.split("…"))), text) is not None


def read_runbook() -> Runbook:
    """Read the page. Its entries are its headings of the second level."""
    _, *parts = re.split(r"^## (.+)\n", PAGE.read_text(), flags=re.MULTILINE)
    titles, texts = parts[::2], parts[1::2]
    assert len(set(titles)) == len(titles), "two entries have one title"
    return Runbook({t: Entry(t, text) for t, text in zip(titles, texts, strict=True)})
