"""A failure here means wrong rows before somebody at the prompt, or a script that goes on."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws import Endpoints, inject
from localaws.prompt.splitting import split
from tests.support.terminal import ENVIRONMENT, ROOT, Terminal

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(home: Path, stack: Endpoints) -> Terminal:
    return Terminal(home)


@pytest.mark.parametrize(
    ("script", "statements", "rest"),
    [
        ("select 1; select 2;", ["select 1", "select 2"], ""),
        ("select ';' ; rest", ["select ';'"], " rest"),
        (r"select '\';' ; ", [r"select '\';'"], " "),
        ('select ";" as ";;";', ['select ";" as ";;"'], ""),
        ("-- a; b\nselect 1;", ["-- a; b\nselect 1"], ""),
        ("/* ; */ select /* ; */ 1", [], "/* ; */ select /* ; */ 1"),
        ("select 'open; ", [], "select 'open; "),
        ("; ; -- nothing\n;", [], ""),
    ],
)
def test_a_script_is_cut_where_statements_end(
    script: str, statements: list[str], rest: str
) -> None:
    assert split(script) == (statements, rest)


def test_a_table_is_drawn(terminal: Terminal) -> None:
    ended = terminal.run("sql", "-c", "SELECT 7 AS seven, 'x' AS name, NULL::int AS nothing")
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"│\s+seven │ name │ nothing │", ended.stdout)
    assert re.search(r"│\s+7 │ x\s+│\s+null │", ended.stdout)
    assert "(1 row)" in ended.stdout


def test_programs_read_csv_and_json(terminal: Terminal) -> None:
    query = "SELECT 1 AS a, 'x,\"y' AS b UNION ALL SELECT 2, NULL ORDER BY 1"
    read = terminal.run("sql", "--format", "csv", "-c", query).stdout
    assert list(csv.reader(io.StringIO(read))) == [["a", "b"], ["1", 'x,"y'], ["2", ""]]
    read = terminal.run("sql", "--format", "json", "-c", query).stdout
    assert json.loads(read) == [{"a": 1, "b": 'x,"y'}, {"a": 2, "b": None}]


def test_temporary_tables_live_from_statement_to_statement(terminal: Terminal) -> None:
    script = "CREATE TEMP TABLE t (a INT); INSERT INTO t VALUES (1), (2);"
    ended = terminal.run("sql", "-k", "secondary", "-c", script, "-c", "SELECT sum(a) AS s FROM t")
    assert ended.returncode == 0, ended.stderr
    assert "(2 rows)" in ended.stdout
    assert re.search(r"│\s+3 │", ended.stdout)


def test_the_first_error_ends_the_script(terminal: Terminal) -> None:
    ended = terminal.run("sql", "-c", "SELECT nope; SELECT 5 AS five")
    assert ended.returncode == 1
    assert "nope" in ended.stderr
    assert "five" not in ended.stdout


def test_a_script_comes_from_a_file_or_a_pipe(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "script.sql"
    file.write_text("SELECT 'from a file' AS f;\n")
    assert "from a file" in terminal.run("sql", "-f", str(file)).stdout
    piped = subprocess.run(
        terminal.command("sql"),
        cwd=ROOT,
        env=ENVIRONMENT,
        input=f"\\i {file};\nSELECT 'from a pipe' AS p",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "from a file" in piped.stdout
    assert "from a pipe" in piped.stdout
    assert terminal.run("sql", "-f", str(tmp_path / "none.sql")).returncode == 1


def test_backslash_commands_show_what_is_there(terminal: Terminal) -> None:
    table = f"orders_{uuid.uuid4().hex[:8]}"
    created = f"CREATE TABLE {table} (id BIGINT NOT NULL, note VARCHAR(40))"
    described = ["-c", created, "-c", rf"\d {table}", "-c", rf"\dt {table[:-1]}?"]
    shown = terminal.run("sql", *described, "-c", r"\l", "-c", r"\c secondary", "-c", r"\conninfo")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"│ id\s+│ int8\s+│ not null │", shown.stdout)
    assert "varchar(40)" in shown.stdout
    assert re.search(rf"│ public\s+│ {table}\s+│ TABLE\s+│", shown.stdout)
    assert re.search(r"│ dev\s+│", shown.stdout)
    assert shown.stdout.count("cluster secondary, database dev") == 2
    wrong = terminal.run("sql", "-c", r"\nonsense")
    assert wrong.returncode == 1
    assert r"\?" in wrong.stderr


def test_without_a_stack_it_says_so(tmp_path: Path) -> None:
    for words in (("sql", "-c", "SELECT 1"), ("fault", "list")):
        ended = Terminal(tmp_path).run(*words)
        assert ended.returncode == 3
        assert "not running" in ended.stderr


class Screen:
    """Somebody who types at a terminal and reads what comes."""

    def __init__(self, command: list[str]) -> None:
        self._mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            # Ctrl-C is a signal of the controlling terminal; whoever runs the tests in the
            # background has it ignored, and children inherit that.
            ["setsid", "--ctty", "env", "--default-signal=INT", *command],
            cwd=ROOT,
            env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._seen = b""
        self._told_where = 0

    def type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def read_until(self, wanted: str) -> str:
        """Return what came since the last time, up to and with `wanted`."""
        end = time.monotonic() + 120
        while wanted not in (plain := _CONTROL.sub("", self._seen.decode(errors="replace"))):
            assert time.monotonic() < end, plain
            ready, _, _ = select.select([self._mine], [], [], 0.2)
            if ready:
                self._seen += os.read(self._mine, 65536)
                # "Where is the cursor?": a terminal answers.
                while self._told_where < self._seen.count(b"\x1b[6n"):
                    self._told_where += 1
                    self.type("\x1b[1;1R")
        self._seen, self._told_where = b"", 0
        return plain

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=120)
        os.close(self._mine)


@pytest.fixture
def screen(terminal: Terminal) -> Iterator[Screen]:
    screen = Screen(terminal.command("sql"))
    yield screen
    screen.close()


def test_the_prompt_reads_lines_until_the_semicolon(screen: Screen, home: Path) -> None:
    screen.read_until("primary=>")
    screen.type("SELECT 40 + 2 AS\r")
    screen.read_until("->")
    screen.type("answer;\r")
    assert re.search(r"│\s+42 │", screen.read_until("(1 row"))
    screen.type("SELECT broken;\r")
    screen.read_until('column "broken" does not exist')
    screen.type("\\x\r")
    screen.read_until("format: expanded")
    screen.type("\\q\r")
    assert screen.process.wait(timeout=120) == 0
    assert "answer;" in (home / "sql-history").read_text()


def test_ctrl_c_cancels_what_runs_and_the_prompt_goes_on(screen: Screen, stack: Endpoints) -> None:
    screen.read_until("primary=>")
    with inject(stack, "redshift-data", "hang", match="SELECT 1234567") as held:
        screen.type("SELECT 1234567;\r")
        while held.hits == 0:
            time.sleep(0.02)
        screen.type("\x03")
        screen.read_until("cancelled")
    late = {"operation": "ExecuteStatement", "match": "SELECT 7654321", "seconds": 600, "times": 1}
    with (
        inject(stack, "redshift-data", "slow_reply", **late),
        inject(stack, "redshift-data", "hang", match="SELECT 7654321") as held,
    ):
        screen.type("SELECT 7654321;\r")
        while held.hits == 0:
            time.sleep(0.02)
        screen.type("\x03")  # nobody has told it yet which statement that is
        screen.read_until("cancelled")
    screen.type("SELECT 'still ' || 'here' AS w;\r")
    screen.read_until("still here")
