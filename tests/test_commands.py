"""What the pages and messages tell people to type must at least be understood."""

import re
import shlex
from pathlib import Path

import pytest
from tidemark.cli import parser

ROOT = Path(__file__).parents[1]
_LINE = re.compile(r"^\s*python -m tidemark ([^`\n#]+)", re.MULTILINE)
_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def typed() -> list[str]:
    """Every line of a page's code blocks that begins with the command."""
    found = []
    for page in _PAGES:
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            found += _LINE.findall(block)
    return sorted({line.partition("<")[0].strip() for line in found})


def test_there_is_something_to_check():
    assert len(typed()) > 15


@pytest.mark.parametrize("line", typed())
def test_a_command_of_the_pages_is_understood(line):
    parser().parse_args(shlex.split(line))
