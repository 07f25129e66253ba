"""If these fail, the doctor sends people away with what stops the copying."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tidemark.cli import main
from tidemark.operators import ExamineProjectOperator

from tests.support.product import Product
from tests.support.source import DATABASE


def doctor(
    capsys: pytest.CaptureFixture[str], table: str, *words: str
) -> tuple[int, list[dict[str, str]]]:
    """What is found, but for what the stand-in's bucket and this process have not."""
    capsys.readouterr()
    code = main(["doctor", "-t", f"{DATABASE}.{table}", "--json", *words])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return code, [each for each in found if not each["where"].startswith(("bucket", "airflow"))]


@pytest.mark.runbook("What is wrong, or soon will be?")
def test_what_is_well_is_left_alone_and_what_is_wrong_has_a_line(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("examined")
    product.source.insert(table, range(1, 4))
    _, found = doctor(capsys, table)
    assert found == [], "before the first run"
    product.sync(table)
    assert doctor(capsys, table)[1] == []

    product.source.run(f"ALTER TABLE {table} MODIFY amount VARCHAR(20)")
    with product.secondary.paused():
        code, found = doctor(capsys, table)
    assert code == 1
    assert [(each["level"], each["where"]) for each in found] == [
        ("error", "target secondary"),
        ("error", f"{DATABASE}.{table} -> primary"),
    ]
    assert "resync" in found[1]["do"]
    with pytest.raises(AirflowFailException, match="examined"):
        ExamineProjectOperator(task_id="examine").execute({})


@pytest.mark.runbook("What is wrong, or soon will be?")
def test_a_budget_that_the_schedule_cannot_keep_is_a_warning(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("seldom", schedule="*/5 * * * *", safety_lag_seconds=5)
    _, (found,) = doctor(capsys, table)
    assert (found["level"], found["where"]) == ("warning", "freshness.yaml: redshift_bi")
    product.configure(table, schedule="* * * * *")
    assert doctor(capsys, table)[1] == []


@pytest.mark.runbook("What is wrong, or soon will be?")
def test_a_bucket_is_proved_and_its_rules_are_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("examined")
    main(["doctor", "-t", f"{DATABASE}.{table}"])
    said = capsys.readouterr().out
    assert "it keeps no older versions" in said
    assert "no lifecycle rule ends unfinished uploads" in said
    assert product.store.keys("watermark/probes/") == []
