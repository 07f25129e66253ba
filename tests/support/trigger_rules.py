"""Airflow's trigger rules, as far as our DAGs name them."""

from __future__ import annotations

from collections.abc import Sequence

DONE = {"success", "failed", "skipped", "upstream_failed", "removed"}


def verdict(rule: str, states: Sequence[str | None]) -> str:
    """What becomes of a task whose tasks above are in these states: ``run``, ``wait``, ``skipped``
    or ``upstream_failed``."""
    failed = any(state in {"failed", "upstream_failed"} for state in states)
    done = all(state in DONE for state in states)
    match rule:
        case "all_done":
            return "run" if done else "wait"
        case "none_failed":
            return "upstream_failed" if failed else "run" if done else "wait"
        case "all_success":
            if failed:
                return "upstream_failed"
            if "skipped" in states:
                return "skipped"
            return "run" if done else "wait"
    raise NotImplementedError(f"trigger rule {rule}")
