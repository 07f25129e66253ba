"""COPY and UNLOAD: files in S3 to rows of a table, and back."""
