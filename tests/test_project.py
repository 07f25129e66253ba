"""The house rules that a machine can check; one that nobody checks is soon not kept."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
]
TEXTS = [file for file in TRACKED if file.suffix not in {".png", ".parquet"} and file.exists()]


def test_there_is_something_to_check():
    assert len(TEXTS) > 100


# Its docstring says why.
LONG = {"plugins/mysql_arrow/kernels.py"}


def test_files_stay_short_enough_to_be_read():
    long = {
        str(file.relative_to(ROOT)): count
        for file in TEXTS
        if file.suffix == ".py" and "tests" not in file.parts
        if str(file.relative_to(ROOT)) not in LONG
        if (count := len(file.read_text().splitlines())) > 300
    }
    assert long == {}


def test_no_file_bears_a_name_that_says_nothing():
    empty = re.compile(r"(utils?|helpers?|common|misc|managers?|handlers?)", re.IGNORECASE)
    assert [file for file in TRACKED if empty.fullmatch(file.stem)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"AKIA[0-9A-Z]{16}",  # an AWS access key
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
        r"\.redshift\.amazonaws\.com:5439",  # a database of somebody's
        r"(?i)(password|secret|token)\s*[:=]\s*[\"'][A-Za-z]+@\w+\d{2,}",  # B57, X13
        r"\b(?!127\.|0\.|10\.|192\.168\.|45\.92\.|255\.)\d{2,3}\.\d{2,3}\.\d{2,3}\.\d{2,3}\b",
    ],
)
def test_no_secret_and_no_address_is_in_any_file(pattern):
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in TEXTS
        if file != Path(__file__)
        if (match := re.search(pattern, file.read_text(errors="replace")))
    ]
    assert found == []


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [
            line
            for line in (ROOT / name).read_text().splitlines()
            if line and not line.lstrip().startswith("#")
        ]
        assert len(lines) > 100
        assert [line for line in lines if not re.match(r"^[\w.\[\],-]+==\S+", line)] == []


def test_the_lock_holds_what_the_short_files_ask_for():
    for name in ("requirements", "requirements-dev"):
        asked = re.findall(r"^([a-z][\w-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
        pinned = set(
            re.findall(r"^([a-z][\w.-]*)", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)
        )
        assert asked
        assert set(asked) <= pinned


def test_the_readme_names_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"`?make (\w+)", readme))
    assert {"demo", "test", "clean"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for link in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (ROOT / link).exists(), link
