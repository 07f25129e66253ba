"""How far a run has come, in one line for a terminal. Pure."""

from collections.abc import Mapping

_DONE = {"success", "skipped", "removed"}
_BAR = 20


def progress_line(tasks: Mapping[str, Mapping[str, int]]) -> str:
    """Return a bar, how many tasks are done, and what is under way or has failed.

    :param tasks: of each task's copies, how many are in which state
    """
    total = sum(sum(states.values()) for states in tasks.values())
    done = sum(n for states in tasks.values() for state, n in states.items() if state in _DONE)
    filled = _BAR * done // total if total else 0
    busy = [
        f"{name} {_share(states)}"
        for name, states in tasks.items()
        if any(state not in {*_DONE, "waiting"} for state in states)
    ]
    said = ", ".join(busy) or ("done" if total and done == total else "waiting")
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total} tasks  {said}"


def _share(states: Mapping[str, int]) -> str:
    copies = sum(states.values())
    if copies == 1:
        return next(iter(states))
    done = sum(n for state, n in states.items() if state in _DONE)
    failed = states.get("failed", 0)
    return f"{done}/{copies}" + (f", {failed} failed" if failed else "")
