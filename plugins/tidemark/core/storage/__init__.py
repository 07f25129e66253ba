"""What the staging bucket holds: batches, state documents, quarantine; and for how long."""
