"""The files that are written from `alerts.yaml` and the list of metrics. Pure."""

import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from tidemark.core.errors import FixConfiguration
from tidemark.core.signals.alarms import alarms_tf
from tidemark.core.signals.alerts import Alerts, alert_list
from tidemark.core.signals.dashboard import dashboard
from tidemark.core.signals.metrics import METRICS, PREFIX

PAGE = "docs/signals.md"
_BEGIN = "<!-- metrics: written by python -m tidemark signals write -->\n"
_END = "<!-- metrics: end -->"


def written_files(alerts: Alerts, read: Callable[[str], str | None]) -> Mapping[PurePosixPath, str]:
    """Return the files' texts, by their paths below the project.

    :param read: returns a file of the project, or None; the page of metrics is one with a table in
        it, and left alone where it is not shipped
    """
    known = alert_list(alerts)
    files = {
        PurePosixPath("infra/alarms.tf"): alarms_tf(known),
        PurePosixPath("infra/grafana.json"): json.dumps(dashboard(known), indent=2) + "\n",
    }
    page = read(PAGE)
    if page is not None:
        files[PurePosixPath(PAGE)] = _with_table(page)
    return files


def _with_table(page: str) -> str:
    begin, end = page.find(_BEGIN), page.find(_END)
    if not 0 <= begin < end:
        raise FixConfiguration(
            what=f"{PAGE} has no marks between which its table of metrics is written",
            do=f"Restore {PAGE}.",
        )
    return page[: begin + len(_BEGIN)] + _table() + page[end:]


def _table() -> str:
    lines = ["| metric | kind | tags | |", "|---|---|---|---|"]
    for each in METRICS.values():
        unit = f", {each.unit}" if each.unit and not each.name.endswith(each.unit) else ""
        tags = ", ".join(each.tags)
        lines.append(f"| `{PREFIX}{each.name}` | {each.kind}{unit} | {tags} | {each.says} |")
    return "\n".join(lines) + "\n"
