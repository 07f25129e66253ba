"""If this fails, people read of 1 batches."""

from tidemark.core.wording import some


def test_a_number_of_things():
    counted = [some(1, "batch"), some(2, "batch"), some(0, "row"), some(12_340, "row")]
    assert counted == ["1 batch", "2 batches", "0 rows", "12,340 rows"]
