"""Data definition: the statements that make, change, show and drop tables, views and schemas.

CREATE TABLE     new_tables (its head), columns, keys, clauses, create_tables, copied_tables
ALTER TABLE      alter_tables, alter_columns, alter_constraints, alter_keys, appending
others           drops, views, schemas, maintenance, grants, comments, shows
attributes       what of a table only Redshift knows, and how it is kept
encodings        which type takes which compression
"""

from localaws.redshift.definitions.alter_tables import alter_table
from localaws.redshift.definitions.comments import comment
from localaws.redshift.definitions.create_tables import create_table
from localaws.redshift.definitions.drops import drop_materialized_view, drop_table, drop_view
from localaws.redshift.definitions.grants import grant, revoke
from localaws.redshift.definitions.maintenance import analyze, truncate, vacuum
from localaws.redshift.definitions.schemas import alter_schema, create_schema, drop_schema
from localaws.redshift.definitions.shows import (
    show_columns,
    show_databases,
    show_schemas,
    show_table,
    show_tables,
    show_view,
)
from localaws.redshift.definitions.views import (
    alter_materialized_view,
    create_materialized_view,
    create_view,
    refresh,
)
from localaws.redshift.sql.statements import Kind

KINDS = (
    Kind(
        "CREATE TABLE",
        (
            ("create", "table"),
            ("create", "temp", "table"),
            ("create", "temporary", "table"),
            ("create", "local", "temp"),
            ("create", "local", "temporary"),
        ),
        "columns, LIKE or AS; `#name`; identity columns; keys and constraints are kept, checked "
        "and shown, not enforced",
        create_table,
    ),
    Kind(
        "ALTER TABLE",
        (("alter", "table"),),
        "ADD and DROP COLUMN (one), ADD and DROP CONSTRAINT, RENAME TO, RENAME COLUMN, ALTER "
        "COLUMN TYPE VARCHAR(n) or VARBYTE(n) and APPEND FROM (both outside of a block), ALTER "
        "COLUMN ENCODE, DISTKEY, DISTSTYLE, SORTKEY, ENCODE AUTO; OWNER TO is read and dropped",
        alter_table,
    ),
    Kind("DROP TABLE", (("drop", "table"),), "IF EXISTS, CASCADE, RESTRICT", drop_table),
    Kind("TRUNCATE", (("truncate",),), "commits the transaction it runs in", truncate),
    Kind(
        "VACUUM",
        (("vacuum",),),
        "outside of a block; FULL and DELETE ONLY reclaim space, the others change nothing",
        vacuum,
    ),
    Kind("ANALYZE", (("analyze",),), "not COMPRESSION", analyze),
    Kind(
        "CREATE VIEW",
        (("create", "view"), ("create", "or", "replace", "view")),
        "not WITH NO SCHEMA BINDING",
        create_view,
    ),
    Kind("DROP VIEW", (("drop", "view"),), "IF EXISTS, CASCADE, RESTRICT", drop_view),
    Kind(
        "CREATE MATERIALIZED VIEW",
        (("create", "materialized", "view"),),
        "AUTO REFRESH is read and dropped",
        create_materialized_view,
    ),
    Kind(
        "ALTER MATERIALIZED VIEW",
        (("alter", "materialized", "view"),),
        "AUTO REFRESH, read and dropped",
        alter_materialized_view,
    ),
    Kind(
        "REFRESH MATERIALIZED VIEW",
        (("refresh", "materialized", "view"),),
        "outside of a block; always in full",
        refresh,
    ),
    Kind(
        "DROP MATERIALIZED VIEW",
        (("drop", "materialized", "view"),),
        "IF EXISTS, CASCADE, RESTRICT",
        drop_materialized_view,
    ),
    Kind(
        "CREATE SCHEMA",
        (("create", "schema"),),
        "IF NOT EXISTS; AUTHORIZATION is read and dropped",
        create_schema,
    ),
    Kind("ALTER SCHEMA", (("alter", "schema"),), "RENAME TO", alter_schema),
    Kind("DROP SCHEMA", (("drop", "schema"),), "IF EXISTS, CASCADE, RESTRICT", drop_schema),
    Kind("GRANT", (("grant",),), "on tables, schemas, the database; read and dropped", grant),
    Kind("REVOKE", (("revoke",),), "on tables, schemas, the database; read and dropped", revoke),
    Kind("COMMENT", (("comment", "on"),), "ON TABLE, ON COLUMN, ON VIEW", comment),
    Kind("SHOW DATABASES", (("show", "databases"),), "the connected one", show_databases),
    Kind("SHOW SCHEMAS", (("show", "schemas"),), "FROM DATABASE", show_schemas),
    Kind("SHOW TABLES", (("show", "tables"),), "FROM SCHEMA", show_tables),
    Kind("SHOW COLUMNS", (("show", "columns"),), "FROM TABLE", show_columns),
    Kind("SHOW TABLE", (("show", "table"),), "the statement that would create it", show_table),
    Kind("SHOW VIEW", (("show", "view"),), "its query", show_view),
)
