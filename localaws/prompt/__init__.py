"""`python -m localaws sql`: a query prompt against a cluster, over the Data API.

command.py ─┬─ shell.py ──── backslash.py        what is typed
            └─ warehouse.py, tables.py, formats.py   what is asked and shown
"""
