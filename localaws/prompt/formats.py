"""The shapes in which rows are shown."""

FORMATS = ("table", "expanded", "csv", "json")
