-- What Tidemark may do on a source. The image has made the user (MYSQL_USER, MYSQL_PASSWORD) by now,
-- without a right. On a server of your own run the same GRANT.
--   SELECT              the tables
--   PROCESS             sees open transactions, below which no row may be skipped
--   REPLICATION CLIENT  tells how far a replica is behind
GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO 'tidemark_reader'@'%';
