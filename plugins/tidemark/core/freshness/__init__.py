"""How fresh each table is on each target, and which target a reader is sent to."""
