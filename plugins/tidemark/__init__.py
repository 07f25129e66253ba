"""Tidemark: MySQL tables into two or more Redshift warehouses, exactly once.

`docs/how-a-row-travels.md` follows one row from end to end.
"""
