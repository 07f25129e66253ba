"""The inside of a statement, rewritten for the engine."""
