"""What people do by hand, and what looks after the bucket."""
