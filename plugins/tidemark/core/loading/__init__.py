"""What a target is sent, what it holds, and what it still owes."""
