"""What people and programs are told: alerts, events, lineage, freshness."""
