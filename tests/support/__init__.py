"""What the journey tests stand on: a gate before AWS, and plain clients of every system."""
