"""If this fails, a rule of the protocol is promised and not tested."""

from __future__ import annotations

import re
from pathlib import Path

# The rules that must be right from the first release on, because they shape what is stored.
RULES = (1, 2, 8, 9, 11, 12, 14, 15, 16, 17, 18, 19, 21, 22, 24)


def test_every_rule_has_a_journey_named_after_it() -> None:
    texts = [file.read_text() for file in Path(__file__).parent.glob("test_*.py")]
    named = {int(n) for text in texts for n in re.findall(r"^def test_rule_(\d+)_", text, re.M)}
    assert named, "no journey is named after a rule"
    assert set(RULES) <= named, f"untested: {sorted(set(RULES) - named)}"
