"""A failure here means that the README of the stand-in promises what does not run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from localaws import Endpoints, inject
from localaws.__main__ import command_line
from localaws.injecting import faults
from tests.support.terminal import ENVIRONMENT, ROOT, Terminal

README = (ROOT / "localaws" / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python -m localaws")
]


def test_there_is_something_to_run() -> None:
    assert len(PROGRAMS) == 3
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("program", PROGRAMS, ids=["boto3", "awswrangler", "stack"])
def test_its_programs_run(program: str, home: Path, stack: Endpoints, tmp_path: Path) -> None:
    exported = dict(
        line.removeprefix("export ").split("=", 1)
        for line in Terminal(home).run("env").stdout.splitlines()
    )
    assert exported["AWS_ENDPOINT_URL_S3"] == stack.aws_endpoint_url
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**ENVIRONMENT, **exported},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "FAILED" not in ended.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_its_commands_exist(command: list[str]) -> None:
    words = command[: command.index("<")] if "<" in command else command
    words = words[: words.index(">")] if ">" in words else words
    command_line().parse_args(words[3:])


def test_it_names_every_fault(stack: Endpoints) -> None:
    known = faults(stack)["known"]
    assert known.keys() == {"s3", "sqs", "redshift-data"}
    for service, kinds in known.items():
        (row,) = [line for line in README.splitlines() if line.startswith(f"| `{service}` | `")]
        named = set(re.findall(r"`([a-z_0-9]+)`", row.partition("` |")[2]))
        assert {kind["fault"] for kind in kinds} == named


def test_its_orders_can_be_given(stack: Endpoints) -> None:
    orders = [vars(command_line().parse_args(words[3:])) for words in COMMANDS if "add" in words]
    assert len(orders) >= 5
    for order in orders:
        what = {name: order[name] for name in ("operation", "cluster", "match", "times", "seed")}
        given = {name: value for name, value in what.items() if value is not None}
        with inject(stack, order["service"], order["fault"], **given):
            pass
