"""Airflow's own pages, used as an on-call engineer uses them."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from selenium.webdriver.common.keys import Keys

from tests.support.browser import Browser
from tests.support.journeys import Run

_DIALOG = "[role=dialog]"


class Pages:
    """What can be seen and done in Airflow's web interface. Whoever has done something leaves."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def manual(self, dag_id: str, *wanted: str) -> None:
        """Open a DAG's documentation, and wait until it says what is `wanted`."""
        self.browser.open(f"/dags/{quote(dag_id)}")
        self.browser.click("[data-testid=markdown-button]")
        self.browser.find(_DIALOG, "Dag Documentation")
        for words in wanted:
            self.browser.find(_DIALOG, re.escape(words))

    def trigger_form(self, dag_id: str, section: str) -> None:
        """Open a DAG's trigger form, and in it a section."""
        self.browser.open(f"/dags/{quote(dag_id)}")
        self.browser.click("[data-testid=trigger-dag-button]")
        self.open_section(section)

    def open_section(self, title: str) -> None:
        """Unfold a part of the form."""
        self.browser.click(f"{_DIALOG} button", f"^{title}$")

    def switch_on(self, name: str) -> None:
        """Turn on a switch of the form."""
        self.browser.click(f"{_DIALOG} [id='switch:element_{name}']")
        self.browser.find(f"{_DIALOG} [id='switch:element_{name}'][data-state=checked]")

    def fill_in(self, name: str, keys: str) -> None:
        """Type into a field of the form."""
        self.browser.type(f"{_DIALOG} input[name=element_{name}]", keys)

    def submit(self) -> None:
        """Press the form's own button."""
        self.browser.click("[data-testid=trigger-dag-submit]")
        self._done()

    def backfill(self, dag_id: str, first: datetime, last: datetime, at_once: int) -> None:
        """Ask for runs of all intervals from `first` to `last`, both included."""
        self.browser.open(f"/dags/{quote(dag_id)}")
        self.browser.click("[data-testid=trigger-dag-button]")
        self.browser.click(f"{_DIALOG} label", "^Backfill")
        for nth, day in enumerate((first, last)):
            self.browser.click("[data-testid=datetime-input]", nth=nth)
            self.browser.type("input[placeholder='YYYY/MM/DD']", f"{day:%Y/%m/%d}{Keys.TAB}")
            self.browser.type("input[placeholder='HH:mm']", f"{day:%H:%M}{Keys.TAB}")
            self.browser.click(
                f"{_DIALOG} label", "^Missing Runs$"
            )  # is chosen; closes the calendar
            self.browser.gone("input[placeholder='YYYY/MM/DD']")
        self.browser.type(f"{_DIALOG} input[name=max_active_runs]", str(at_once))
        self.browser.click(f"{_DIALOG} button:not([disabled])", "^Run Backfill$")
        self._done()

    def run(self, run: Run, *wanted: str) -> str:
        """Open a run's list of tasks, and wait until it says what is `wanted`."""
        self.browser.open(_run(run))
        return self.browser.read("Task Instances", *wanted)

    def clear_run(self, run: Run) -> None:
        """Clear all tasks of a run."""
        self.run(run)
        self.browser.click("button[aria-label='Press shift+c to clear']")
        self._confirm()

    def clear(self, run: Run, task_id: str) -> None:
        """Clear a task, with what comes after it: that is what the dialog offers."""
        self.browser.open(_task(run, task_id))
        self.browser.click("button[aria-label='Press shift+c to clear']")
        self._confirm()

    def mark(self, run: Run, task_id: str, state: str) -> None:
        """Mark a task ``Success`` or ``Failed``."""
        self.browser.open(_task(run, task_id))
        self.browser.click("button[aria-label='Mark Task Instance as...']")
        self.browser.click("[role=menuitem]", state)
        self._confirm()

    def statement(self, run: Run, task_id: str, *wanted: str) -> str:
        """Follow the button of a load to its statements, and wait until their page says what is
        `wanted`."""
        self.browser.open(f"{_task(run, task_id)}/details")
        self.browser.click("a", "^Statement$")
        return self.browser.read(f"Statements of {task_id}", *wanted)

    def _confirm(self) -> None:
        self.browser.find(_DIALOG, r"Affected Tasks: [1-9]")
        self.browser.click(f"{_DIALOG} button:not([disabled])", "^Confirm$")
        self._done()

    def _done(self) -> None:
        """A dialog closes when the server has answered that it is done."""
        self.browser.gone(_DIALOG)
        self.browser.leave()


def _run(run: Run) -> str:
    return f"/dags/{quote(run.dag_id)}/runs/{quote(run.id, safe='')}"


def _task(run: Run, task_id: str) -> str:
    return f"{_run(run)}/tasks/{quote(task_id)}"
