"""If these fail, somebody who is woken at night finds nothing in docs/runbook.md, or something that
is no longer so.

Every class of errors and every line that the product logs as an error has an entry, every entry is
exercised by a test that is marked with it, and what the page quotes is what the product says.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.runbook import KINDS, TASKS, WORDS, read_runbook, says

ROOT = Path(__file__).parents[1]
RUNBOOK = read_runbook()
PRODUCT = sorted((ROOT / "plugins" / "tidemark").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
# What the page quotes of others: the name of a call, and AWS's of what was wrong with it.
FOREIGN = {"_statement: …Exception"}
# What the drill says is looked up in the page, and lands in its record.
DRILL, RECORD = ROOT / "tests" / "faults" / "test_drill.py", ROOT / "docs" / "drill.md"


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def text(node: ast.AST) -> str | None:
    """A text of the code; ``…`` stands for what is filled in."""
    match node:
        case ast.Constant(value=str(constant)):
            return re.sub(r"%[sdr]|%\.\d+f", "…", constant)
        case ast.JoinedStr(values=values):
            return "".join(text(each) or "…" for each in values)
    return None


@functools.cache
def texts(file: Path) -> list[str]:
    return [said for node in ast.walk(tree(file)) if (said := text(node))]


def errors() -> set[str]:
    """The names of all classes below `TidemarkError`."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for file in PRODUCT
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
    }
    found = {"TidemarkError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found - {"TidemarkError"}


def alerts() -> Iterator[str]:
    """Every text that the product logs as an error, unless it is a whole error or alert itself."""
    logged = re.compile(r"log\.error", re.IGNORECASE)
    for file in PRODUCT:
        for node in ast.walk(tree(file)):
            if not isinstance(node, ast.Call) or not logged.search(ast.unparse(node.func)):
                continue
            if (said := text(node.args[0])) != "…":
                yield said or ast.unparse(node)


def marked() -> dict[str, set[Path]]:
    """By entry: the files with tests that are marked with it."""
    found: dict[str, set[Path]] = {}
    for file in TESTS:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.runbook":
                for title in map(text, node.args):
                    assert title, f"{file.name}:{node.lineno} is marked with no plain text"
                    found.setdefault(title, set()).add(file)
    return found


def test_there_is_something_to_check() -> None:
    assert len(RUNBOOK.entries) > 30
    assert len(RUNBOOK.words) > 40
    assert len(errors()) > 8
    assert len(list(alerts())) > 8


def test_every_class_of_errors_has_an_entry_and_no_other() -> None:
    assert {name for name, _ in RUNBOOK.kinds} == errors(), f"see {KINDS!r} in docs/runbook.md"


@pytest.mark.parametrize("alert", sorted(set(alerts())))
def test_every_line_that_is_logged_as_an_error_can_be_looked_up(alert: str) -> None:
    assert RUNBOOK.look_up(alert), f"add words of it to {WORDS!r} in docs/runbook.md"


def test_the_page_quotes_what_the_product_says() -> None:
    said = [each for file in PRODUCT for each in texts(file)]
    quoted = {words for words, _ in RUNBOOK.words} - FOREIGN
    assert {words for words in quoted if not any(says(words, each) for each in said)} == set()


def test_every_entry_is_exercised_by_a_test_and_no_test_by_a_name_that_is_gone() -> None:
    assert set(marked()) == set(RUNBOOK.entries) - {WORDS, KINDS}, (
        "mark a test with @pytest.mark.runbook(<the entry's title>), or rename the mark"
    )


def test_a_test_of_the_entry_hears_the_words() -> None:
    files = marked()
    unheard = {
        words
        for words, title in RUNBOOK.words
        if not any(
            says(words, said)
            for file in files.get(title, ())
            for said in [*texts(file), RECORD.read_text() if file == DRILL else ""]
        )
    }
    assert unheard == set()


def test_the_table_of_red_tasks_knows_every_task_that_can_be_red() -> None:
    for task in ("plan_increment", "extract_chunk", "seal_batch", "load_x", "commit_watermark"):
        assert RUNBOOK.clears(task), f"see {TASKS!r}"
    assert RUNBOOK.clears("load_x", best_effort=True) == ("load_x", False)
