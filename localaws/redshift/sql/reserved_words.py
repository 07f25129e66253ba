"""Words that name nothing unless they are quoted.

The whole of https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
"""

RESERVED = frozenset({
    "aes128", "aes256", "all", "allowoverwrite", "analyse", "analyze", "and", "any", "array", "as",
    "asc", "authorization", "az64", "backup", "between", "binary", "blanksasnull", "both",
    "bytedict", "bzip2", "case", "cast", "check", "collate", "column", "constraint", "create",
    "credentials", "cross", "current_date", "current_time", "current_timestamp", "current_user",
    "current_user_id", "default", "deferrable", "deflate", "defrag", "delta", "delta32k", "desc",
    "disable", "distinct", "do", "else", "emptyasnull", "enable", "encode", "encrypt",
    "encryption", "end", "except", "explicit", "false", "for", "foreign", "freeze", "from", "full",
    "globaldict256", "globaldict64k", "grant", "group", "gzip", "having", "identity", "ignore",
    "ilike", "in", "initially", "inner", "intersect", "interval", "into", "is", "isnull", "join",
    "leading", "left", "like", "limit", "localtime", "localtimestamp", "lun", "luns", "lzo",
    "lzop", "minus", "mostly16", "mostly32", "mostly8", "natural", "new", "not", "notnull", "null",
    "nulls", "off", "offline", "offset", "oid", "old", "on", "only", "open", "or", "order",
    "outer", "overlaps", "parallel", "partition", "percent", "permissions", "pivot", "placing",
    "primary", "raw", "readratio", "recover", "references", "rejectlog", "resort", "respect",
    "restore", "right", "select", "session_user", "similar", "snapshot", "some", "sysdate",
    "system", "table", "tag", "tdes", "text255", "text32k", "then", "timestamp", "to", "top",
    "trailing", "true", "truncatecolumns", "union", "unique", "unnest", "unpivot", "user", "using",
    "verbose", "wallet", "when", "where", "with", "without",
})  # fmt: skip

# Those that PostgreSQL would take for names and that have no place in a query: each of them, met
# unquoted there, is an error. The others are read by the parser of queries, here or in the engine.
# OID is left out: Redshift's own catalogue has columns of that name.
NEVER_IN_QUERIES = frozenset({
    "aes128", "aes256", "allowoverwrite", "az64", "backup", "blanksasnull", "bytedict", "bzip2",
    "credentials", "deflate", "defrag", "delta", "delta32k", "disable", "emptyasnull", "enable",
    "encode", "encrypt", "encryption", "explicit", "globaldict256", "globaldict64k", "gzip",
    "identity", "lun", "luns", "lzo", "lzop", "mostly16", "mostly32", "mostly8", "new", "off",
    "offline", "old", "open", "parallel", "percent", "permissions", "raw", "readratio", "recover",
    "rejectlog", "resort", "restore", "snapshot", "system", "tag", "tdes", "text255", "text32k",
    "truncatecolumns", "wallet",
})  # fmt: skip
