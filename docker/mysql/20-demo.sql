-- The tables of include/tables.yaml, so that every DAG finds its own: the five of the flights are
-- empty, every_type has its rows. SOURCE is a command of the mysql client, which runs this file.
CREATE DATABASE demo CHARACTER SET utf8mb4;
USE demo;
SET time_zone = '+00:00';
SOURCE /opt/demo/flights_tables.sql
SOURCE /opt/demo/every_type.sql
