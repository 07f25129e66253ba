"""The state documents of tables that nobody copies."""

from datetime import UTC, datetime, timedelta

from tidemark.core.storage.state import first_state


def document(name: str) -> bytes:
    """Return a table's document: both targets complete up to half a minute ago."""
    now = datetime.now(UTC)
    state = first_state(name, {"primary": "required", "secondary": "best_effort"}, now)
    done = now - timedelta(seconds=30)
    targets = {
        target: known.model_copy(update={"as_of": done, "rows": 100, "loaded_at": done})
        for target, known in state.targets.items()
    }
    changed = state.model_copy(update={"watermark": done, "targets": targets})
    return changed.model_dump_json().encode()
