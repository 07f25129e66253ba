"""From a message of a queue to a row."""
