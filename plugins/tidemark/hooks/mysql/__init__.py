"""A MySQL or MariaDB source: its clock, its ranges, its rows."""
