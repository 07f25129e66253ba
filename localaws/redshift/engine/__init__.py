"""What runs statements: clusters, sessions, transactions, the journal of what happened."""
