"""One target: ask its ledger, apply batches, say what it holds."""
