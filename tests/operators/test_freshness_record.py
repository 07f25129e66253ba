"""If this fails, a damaged record of freshness stops those who ask how fresh a table is."""

from __future__ import annotations

import pytest
from tidemark.core.freshness.record import KEY, Record
from tidemark.hooks.project import read_project
from tidemark.hooks.storage.freshness_store import FreshnessStore
from tidemark.hooks.storage.staging_bucket import StagingBucket

from tests.support.product import Product


@pytest.mark.runbook("The record of freshness cannot be read")
def test_a_record_that_cannot_be_read_is_begun_anew(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    product.store.put(KEY, b"{")
    store = FreshnessStore(StagingBucket(read_project().targets.staging))
    assert store.record() == Record()
    assert "cannot be read, and is begun anew" in caplog.text

    product.store.put("freshness/beats/s.beats.json", b"{")
    assert store.beat("s.beats") is None
    assert "The heartbeat of s.beats cannot be read" in caplog.text
