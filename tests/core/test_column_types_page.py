"""If these fail, the page that users choose types by says what is not so."""

import re
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tidemark.core.source.column_types_page import page

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"^\| `(.+)` \| .* \| `(.+)` \| `(.+)` \| `(.+)` \|$", re.MULTILINE)


def test_the_page_is_what_the_functions_say() -> None:
    command = "python -m tidemark.core.source.column_types_page > docs/column-types.md"
    assert (ROOT / "docs/column-types.md").read_text(encoding="utf-8") == page(), command


def test_the_page_has_every_type_of_the_table_of_every_type() -> None:
    declared = (ROOT / "onebox/every_type.sql").read_text(encoding="utf-8")
    kinds = {kind.lower() for kind in re.findall(r"^    (?:/\*\S+ )?`[^`]+` (\w+)", declared, re.M)}
    assert len(kinds) > 30
    shown = {match[1].split("(")[0].split(" ")[0] for match in _LINE.finditer(page())}
    assert kinds - shown == set()


def test_parquet_holds_a_type_in_the_form_that_the_page_says() -> None:
    said = {match[2]: match[3] for match in _LINE.finditer(page())}
    assert len(said) > 10
    for arrow, parquet in said.items():
        sized = re.fullmatch(r"decimal128\((\d+), (\d+)\)", arrow)
        kind = pa.decimal128(int(sized[1]), int(sized[2])) if sized else _type(arrow)
        file = BytesIO()
        pq.write_table(pa.table({"c": pa.array([None], kind)}), file)
        column = pq.ParquetFile(file).schema.column(0)
        physical = parquet.split(",")[0].split("(")[0]
        assert column.physical_type == physical, arrow
        if sized:
            assert f"({column.length})" in parquet


def _type(name: str) -> pa.DataType:
    return pa.timestamp("us") if name == "timestamp[us]" else pa.type_for_alias(name)
