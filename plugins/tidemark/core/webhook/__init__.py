"""Which requests the receiver takes, and what it answers."""
