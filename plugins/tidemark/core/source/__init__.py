"""What of a MySQL table is read, and as which types."""
