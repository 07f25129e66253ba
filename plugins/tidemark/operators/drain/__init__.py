"""A queue, from its messages to their deletion."""
