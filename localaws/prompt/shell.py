"""The prompt itself: history, several lines until `;`, colours, names that complete themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import PostgresLexer
from rich.console import Console
from rich.text import Text

from localaws.endpoints import Endpoints
from localaws.prompt.backslash import Commands, Quit, Settings, place
from localaws.prompt.splitting import is_blank, split
from localaws.prompt.tables import show
from localaws.prompt.warehouse import StatementFailed, Warehouse
from localaws.redshift.sql.front import KINDS


class Shell:
    """Runs scripts and lines, and shows what they come to."""

    def __init__(
        self, endpoints: Endpoints, warehouse: Warehouse, *, form: str, timing: bool
    ) -> None:
        self._warehouse = warehouse
        self._settings = Settings(form, timing)
        self._commands = Commands(endpoints, warehouse, self._settings)
        self._errors = Console(stderr=True, highlight=False)

    def run(self, script: str) -> bool:
        """Run a script until its first error; whether there was none."""
        statements, rest = split(script)
        for statement in [*statements, *([] if is_blank(rest) else [rest.strip()])]:
            try:
                self._run_one(statement)
            except StatementFailed as error:
                self._errors.print(Text(str(error), style="red"))
                return False
        return True

    def talk(self, history: Path) -> None:
        """Read and run until the end of the input."""
        Console(highlight=False).print(
            Text(rf"{place(self._warehouse.cluster)}; \? for help", style="dim")
        )
        session: PromptSession[str] = PromptSession(
            history=FileHistory(str(history)),
            lexer=PygmentsLexer(PostgresLexer),
            completer=_Names(self._warehouse),
            complete_while_typing=False,
            multiline=Condition(lambda: not _is_complete(session.default_buffer.text)),
            prompt_continuation=lambda width, *_: "-> ".rjust(width),
        )
        while True:
            try:
                self._said(session.prompt(f"{self._warehouse.cluster.cluster_identifier}=> "))
            except KeyboardInterrupt:
                continue
            except (EOFError, Quit):
                return

    def _said(self, text: str) -> None:
        if text.lstrip().startswith("\\"):
            try:
                self._run_one(text.strip())
            except StatementFailed as error:
                self._errors.print(Text(str(error), style="red"))
        else:
            self.run(text)

    def _run_one(self, statement: str) -> None:
        if not statement.startswith("\\"):
            result = self._warehouse.run(statement)
            show(result, self._settings.form, sys.stdout, timing=self._settings.timing)
            return
        answer = self._commands.run(statement)
        if answer.said:
            print(answer.said)
        if answer.result is not None:
            show(answer.result, self._settings.form, sys.stdout)
        if answer.script and not self.run(answer.script):
            raise StatementFailed("stopped there")


def _is_complete(text: str) -> bool:
    """Whether Enter sends it: a command, nothing at all, or statements up to a `;`."""
    if is_blank(text) or text.lstrip().startswith("\\"):
        return True
    return is_blank(split(text)[1])


class _Names(Completer):
    """Words of SQL, and the tables that are there when Tab is pressed."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._words = sorted({word.lower() for kind in KINDS for word in kind.name.split()})

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - the base class names it
    ) -> Iterable[Completion]:
        typed = document.get_word_before_cursor(WORD=True).rpartition("(")[2].lower()
        if not typed:
            return
        try:
            tables = [f"{each['schema']}.{each['name']}" for each in self._warehouse.tables()]
        except StatementFailed:
            tables = []
        names = [name for table in tables for name in (table, table.partition(".")[2])]
        for name in [*self._words, *names]:
            if name.startswith(typed):
                yield Completion(name, start_position=-len(typed))
