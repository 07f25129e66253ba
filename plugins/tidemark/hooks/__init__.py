"""One outside system each: they talk, and decide nothing."""
