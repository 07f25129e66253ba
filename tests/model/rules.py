"""What each rule of the protocol looks like in the product when it is switched off.

A rule that can be switched off without anybody noticing is not tested. `make soak` takes each of
these edits to a copy of the project and lets the model find out; `make test` only looks that each
still finds its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PLUGINS = "plugins/tidemark/"


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A rule, and the edit that breaks it: in `file`, `old` (found once) becomes `new`."""

    rule: str
    file: str
    old: str
    new: str

    def place(self, root: Path) -> Path:
        return root / self.file

    def edited(self, text: str) -> str:
        assert text.count(self.old) == 1, f"{self.file} holds {text.count(self.old)}x: {self.old}"
        return text.replace(self.old, self.new)


RULES = (
    SwitchedOff(
        "1: the first receipt and the first manifest win",
        f"{_PLUGINS}hooks/staging_bucket.py",
        'return self._put_if(key, data, IfNoneMatch="*")',
        "return self._put_if(key, data)",
    ),
    SwitchedOff(
        "2: seal needs a receipt of every chunk",
        f"{_PLUGINS}operators/seal.py",
        "    if missing:\n",
        "    plan = plan.model_copy(update={'chunks': tuple(\n"
        "        c for c, r in zip(plan.chunks, receipts) if r)})\n"
        "    if not plan.chunks:\n",
    ),
    SwitchedOff(
        "3: a swap carries newer rows over",
        "include/sql/swap_batch.sql",
        "{% if key and carried %}\nINSERT INTO {{ new }} ({{ carried",
        "{% if false %}\nINSERT INTO {{ new }} ({{ carried",
    ),
    SwitchedOff(
        "5: the watermark waits for every required ledger",
        f"{_PLUGINS}operators/commit.py",
        "if not holds(batch.batch_id, batch.read_to, entries):\n",
        "if False:\n",
    ),
    SwitchedOff(
        "7: replan raises the epoch",
        f"{_PLUGINS}core/recovery.py",
        "state.epoch + 1",
        "state.epoch",
    ),
    SwitchedOff(
        "8: commit is a compare",
        f"{_PLUGINS}core/committing.py",
        '        return "already committed"\n    return "superseded"',
        '        return "commit"\n    return "commit"',
    ),
    SwitchedOff(
        "11: an older version never overwrites a newer one",
        "include/sql/load_batch.sql",
        "{%- if not only_added %}",
        "{%- if false %}",
    ),
    SwitchedOff(
        "12: one row per key in the stage",
        "include/sql/load_batch.sql",
        "WHERE tidemark_rank = 1",
        "WHERE tidemark_rank >= 1",
    ),
    SwitchedOff(
        "15: the debt of an idle table is paid",
        f"{_PLUGINS}operators/plan.py",
        "owing = owing_targets(stream.state())",
        "owing = set[str]()",
    ),
    SwitchedOff(
        "17: who cannot be asked owes",
        f"{_PLUGINS}operators/commit.py",
        "batch.batch_id, error)\n            return False",
        "batch.batch_id, error)\n            return True",
    ),
    SwitchedOff(
        "18: a backfill enters debt",
        f"{_PLUGINS}operators/commit.py",
        "return with_debt(state, batch.batch_id, self._owed_by(stream, state, batch))",
        "return state",
    ),
    SwitchedOff(
        "19: the horizon stays below open transactions",
        f"{_PLUGINS}core/windows.py",
        "(oldest.age if oldest else timedelta())",
        "timedelta()",
    ),
    SwitchedOff(
        "debt: struck off only when the ledger lists it",
        f"{_PLUGINS}core/state.py",
        "    debt = tuple(batch for batch in before.debt if batch not in held)\n    newest",
        "    debt: tuple[str, ...] = ()\n    newest",
    ),
    SwitchedOff(
        "state: written by compare-and-set",
        f"{_PLUGINS}hooks/staging_bucket.py",
        "return self._put_if(key, data, IfMatch=etag)",
        "return self._put_if(key, data)",
    ),
)
