"""A table, from the choice of a window to its watermark."""
