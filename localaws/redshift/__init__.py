"""A Redshift Data API that really executes: AWS JSON 1.1 in front, PostgreSQL behind.

Smaller than Redshift, never kinder: a statement that is not in `statements.KINDS` is refused by
name, and what Redshift rejects is rejected in Redshift's words. A comment beside each such rule
holds the address where Redshift's behaviour was found, or the word "unsourced" (then the stricter
reading was taken).

    server -> operations -> runner -> session -> front (lexer, statements, dml, ddl, copy_command)
                 |             |         |
              journal       clusters   copying (manifest, parquet_schema, parquet_rows)
"""
