"""`python -m localaws fault …`: order faults, see which struck, take them back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from localaws.endpoints import Endpoints
from localaws.injecting import SERVICES, FaultRefused, address, call, clear_faults, faults, inject

_OPTIONS: dict[str, tuple[Any, str]] = {
    "operation": (str, "only this operation: PutObject, ReceiveMessage, ExecuteStatement …"),
    "cluster": (str, "redshift-data only: this cluster's calls"),
    "match": (
        str,
        "only where this regular expression is found: in bucket/key, in the queue's name, in the"
        " SQL or the statement's name",
    ),
    "times": (int, "strike so often, then be spent (default: until cleared)"),
    "after": (int, "spare the first N calls"),
    "probability": (float, "strike a call with this chance, above 0 and up to 1"),
    "seed": (int, "where the chance begins, so that a run can be had again (default: 0)"),
    "seconds": (float, "how long, for the faults that take time"),
    "status": (int, "the HTTP status, for the faults that have one"),
    "message": (str, "the text of the error, for the faults that have one"),
}
_OWN = ("seconds", "status", "message")
_EXAMPLES = """examples:
  python -m localaws fault known s3
  python -m localaws fault add s3 slow_down --operation PutObject --times 2
  python -m localaws fault add s3 truncated_object --match 'part-0.*parquet$'
  python -m localaws fault add sqs drop_reply --operation ReceiveMessage --match orders --after 10
  python -m localaws fault add redshift-data error_1023 --cluster secondary --match '^MERGE'
  python -m localaws fault add redshift-data throttle --probability 0.2 --seed 7
  python -m localaws fault list
  python -m localaws fault clear s3-1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")

    add = acts.add_parser("add", help="order a fault", description="Order a fault.")
    add.epilog = (
        "`fault known` lists the faults of each service and what they take.\n\n" + _EXAMPLES
    )
    add.formatter_class = argparse.RawDescriptionHelpFormatter
    add.add_argument("service", choices=SERVICES)
    add.add_argument("fault", help="its name; see `fault known`")
    for name, (kind, text) in _OPTIONS.items():
        add.add_argument(f"--{name}", type=kind, metavar=name[0].upper(), help=text)

    shown = acts.add_parser("list", help="the faults that were ordered, and how often they struck")
    shown.add_argument("--json", action="store_true", help="as JSON, for programs")

    known = acts.add_parser("known", help="every fault there is, and the options it takes")
    known.add_argument("service", nargs="?", choices=SERVICES)

    clear = acts.add_parser("clear", help="take back faults: all, a service's, or some by id")
    clear.add_argument("what", nargs="*", metavar="SERVICE|ID")


def run(chosen: argparse.Namespace, endpoints: Endpoints) -> int:
    """Do what was asked; return the exit code."""
    try:
        match chosen.act:
            case "add":
                what = {name: getattr(chosen, name) for name in _OPTIONS}
                given = {name: value for name, value in what.items() if value is not None}
                print(inject(endpoints, chosen.service, chosen.fault, **given).id)
            case "list":
                _list(faults(endpoints)["faults"], as_json=chosen.json)
            case "known":
                _known(faults(endpoints)["known"], chosen.service)
            case _:
                print(f"{_clear(endpoints, chosen.what)} taken back")
    except FaultRefused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(entries, indent=2))
        return
    if not entries:
        print("no faults")
        return
    rows = [("ID", "FAULT", "MET", "STRUCK", "WHERE AND WHEN")]
    for entry in entries:
        last = entry.pop("last")
        counts = (str(entry.pop("seen")), str(entry.pop("hits")))
        names = (entry.pop("id"), entry.pop("fault"))
        del entry["service"]  # the id says it
        told = " ".join(f"{name}={value}" for name, value in entry.items())
        rows.append((*names, *counts, f"{told}  last: {last}" if last else told))
    _print(rows)


def _known(known: dict[str, list[dict[str, Any]]], service: str | None) -> None:
    for name in [service] if service else known:
        print(f"{name}: any fault takes {', '.join(_common(known[name]))}")
        _print([(f"  {kind['fault']}", _note(kind)) for kind in known[name]])


def _common(kinds: list[dict[str, Any]]) -> list[str]:
    return [each for each in kinds[0]["takes"] if each not in _OWN]


def _note(kind: dict[str, Any]) -> str:
    own = [each for each in kind["takes"] if each in _OWN]
    return f"{kind['note']}; takes {', '.join(own)}" if own else str(kind["note"])


def _clear(endpoints: Endpoints, what: Iterable[str]) -> int:
    names = list(what)
    if not names:
        return clear_faults(endpoints)
    cleared = 0
    for name in names:
        if name in SERVICES:
            cleared += clear_faults(endpoints, name)
            continue
        url = address(endpoints, name.rpartition("-")[0])
        if call("DELETE", f"{url}/_localaws/faults/{name}") is None:
            raise FaultRefused(f"no fault {name}")
        cleared += 1
    return cleared


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
