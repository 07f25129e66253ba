"""What a bench writes into the README: its own table, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.published import marks, refresh

_ROOT = Path(__file__).parents[2]
BEGIN, END = marks("loading")


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    others = "\n".join(marks("extraction"))
    readme.write_text(f"{others}\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    refresh(readme, "loading", "new")
    assert readme.read_text(encoding="utf-8") == f"{others}\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no marks\n", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        refresh(readme, "loading", "new")
    assert readme.read_text(encoding="utf-8") == "no marks\n"


@pytest.mark.parametrize("section", ["extraction", "loading"])
def test_our_readme_has_the_marks(section: str) -> None:
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    begin, end = marks(section)
    assert text.index(begin) < text.index(end)
