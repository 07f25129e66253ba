"""What a command answers: lines for people, a value for programs (``--json``)."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.storage.by_hand import Hand

DONE, ACT, AGAIN = 0, 1, 75
"""Exit codes: all is well; somebody must act (2 is for a command that cannot be read); what failed
may pass, and the command may be given again (EX_TEMPFAIL of sysexits.h)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found or did.

    :param value: for ``--json``: made of what JSON knows
    :param lines: the same for people
    :param trouble: what went wrong besides, if anything did: the exit code says so
    """

    value: Any
    lines: Sequence[str] = ()
    trouble: Sequence[TidemarkError] = field(default=())


class Parser(argparse.ArgumentParser):
    """A parser of which every command knows ``--json``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON"
        )


def give(answer: Answer, *, as_json: bool) -> int:
    """Print an answer, what went wrong to standard error, and return the exit code."""
    if as_json:
        print(json.dumps(answer.value, indent=2))
    else:
        for line in answer.lines:
            print(line)
    for error in answer.trouble:
        print(error, file=sys.stderr)
    return exit_code(answer.trouble)


def exit_code(errors: Sequence[TidemarkError]) -> int:
    """Return the exit code for what went wrong: `AGAIN` only if all of it may pass by itself."""
    if not errors:
        return DONE
    return AGAIN if all(isinstance(error, TryAgain) for error in errors) else ACT


def sign(verb: argparse.ArgumentParser, *, needed: bool) -> None:
    """Let a command take who gives it, and why."""
    verb.add_argument("--reason", default="", required=needed, help="kept in the state document")
    verb.add_argument("--by", help="who changes it (default: the user of this terminal)")


def hand(options: argparse.Namespace) -> Hand:
    """Return who gives a command, when, and why."""
    return Hand(at=datetime.now(UTC), who=options.by or user(), why=options.reason)


def user() -> str:
    """Return the user of this terminal; in a container that may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the one until Python 3.12, the other since
        return str(os.getuid())
