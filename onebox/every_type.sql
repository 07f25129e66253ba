-- One table with a column of every type of MySQL and MariaDB, and the values that copies get wrong:
-- limits, NULL beside empty, zero dates, times beyond a day, text that looks like something else.
-- Columns are named after their types, so that names have to be quoted everywhere.
-- What stands in /*M! ... */ only MariaDB has, and MySQL takes for a comment.

SET NAMES utf8mb4;
SET SESSION time_zone = '+00:00';
-- Strict about everything but dates that no calendar has: old applications left those behind.
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES';

DROP TABLE IF EXISTS every_type;

CREATE TABLE every_type (
    id INT NOT NULL PRIMARY KEY,
    what VARCHAR(40) NOT NULL,
    `tinyint` TINYINT,
    `tinyint(1)` TINYINT(1),
    `tinyint unsigned` TINYINT UNSIGNED,
    `smallint` SMALLINT,
    `smallint unsigned` SMALLINT UNSIGNED,
    `mediumint` MEDIUMINT,
    `mediumint unsigned` MEDIUMINT UNSIGNED,
    `int` INT,
    `int unsigned` INT UNSIGNED,
    `int zerofill` INT(8) ZEROFILL,
    `bigint` BIGINT,
    `bigint unsigned` BIGINT UNSIGNED,
    `decimal(12,2)` DECIMAL(12,2),
    `decimal(30,30)` DECIMAL(30,30),
    `decimal(38,10)` DECIMAL(38,10),
    `decimal(65,30)` DECIMAL(65,30),
    `float` FLOAT,
    `float(7,3)` FLOAT(7,3),
    `double` DOUBLE,
    `double(16,4)` DOUBLE(16,4),
    `bit(1)` BIT(1),
    `bit(8)` BIT(8),
    `bit(64)` BIT(64),
    `year` YEAR,
    `date` DATE,
    `datetime` DATETIME,
    `datetime(3)` DATETIME(3),
    `datetime(6)` DATETIME(6),
    `timestamp` TIMESTAMP NULL,
    `timestamp(6)` TIMESTAMP(6) NULL,
    `time` TIME,
    `time(6)` TIME(6),
    `char` CHAR(10) CHARACTER SET utf8mb4,
    `varchar` VARCHAR(100) CHARACTER SET utf8mb4,
    `varchar latin1` VARCHAR(40) CHARACTER SET latin1,
    `varchar ascii` VARCHAR(40) CHARACTER SET ascii,
    `varchar utf16` VARCHAR(40) CHARACTER SET utf16,
    `tinytext` TINYTEXT CHARACTER SET utf8mb4,
    `text` TEXT CHARACTER SET utf8mb4,
    `mediumtext` MEDIUMTEXT CHARACTER SET utf8mb4,
    `longtext` LONGTEXT CHARACTER SET utf8mb4,
    `json` JSON,
    `enum` ENUM('new', 'it''s, odd', 'größer') CHARACTER SET utf8mb4,
    `set` SET('x', 'y', 'zürich') CHARACTER SET utf8mb4,
    `binary` BINARY(4),
    `varbinary` VARBINARY(16),
    `tinyblob` TINYBLOB,
    `blob` BLOB,
    `mediumblob` MEDIUMBLOB,
    `longblob` LONGBLOB,
    `geometry` GEOMETRY,
    `point` POINT,
    /*M!101007 `uuid` UUID, `inet4` INET4, `inet6` INET6, */
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
);

INSERT INTO every_type VALUES (
    1, 'least',
    -128, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, 0, -9223372036854775808, 0,
    -9999999999.99, -0.999999999999999999999999999999, -9999999999999999999999999999.9999999999,
    -99999999999999999999999999999999999.999999999999999999999999999999,
    -3.4028234663852886e38, -9999.999, -1.7976931348623157e308, -999999999999.9999,
    b'0', b'0', b'0', 1901, '0001-01-01', '0001-01-01 00:00:00', '1000-01-01 00:00:00.001',
    '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001',
    '-838:59:59', '-838:59:59.000000',
    '', '', '', '', '', '', '', '', '', '{}', 'new', '', '', '', '', '', '', '',
    ST_GeomFromText('POINT(0 0)'), ST_GeomFromText('POINT(0 0)'),
    /*M!101007 '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::', */
    '2024-01-01 00:00:00.000001'
);

INSERT INTO every_type VALUES (
    2, 'greatest',
    127, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 4294967295,
    9223372036854775807, 18446744073709551615,
    9999999999.99, 0.999999999999999999999999999999, 9999999999999999999999999999.9999999999,
    99999999999999999999999999999999999.999999999999999999999999999999,
    3.4028234663852886e38, 9999.999, 1.7976931348623157e308, 999999999999.9999,
    b'1', b'11111111', b'1111111111111111111111111111111111111111111111111111111111111111',
    2155, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999',
    '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.499999',
    '838:59:59', '838:59:59.000000',
    'ZZZZZZZZZZ', REPEAT('🦀', 100), REPEAT('€', 40), REPEAT('~', 40), REPEAT('🌊', 20),
    REPEAT('a', 255), REPEAT('b', 65535), REPEAT('é', 32767), REPEAT('d', 65535),
    '{"big": 18446744073709551615, "deep": [1, null, {"ü": "\\" \\\\"}]}',
    'größer', 'x,y,zürich',
    x'FFFFFFFF', REPEAT(x'FF', 16), REPEAT(x'00', 255), REPEAT(x'01', 65535),
    REPEAT(x'02', 70000), REPEAT(x'03', 200000),
    ST_GeomFromText('MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)))'), ST_GeomFromText('POINT(180 -90)'),
    /*M!101007 'ffffffff-ffff-ffff-ffff-ffffffffffff', '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', */
    '2024-01-01 00:00:00.000002'
);

-- Absent: every column NULL that may be.
INSERT INTO every_type (id, what, updated_at) VALUES (3, 'absent', '2024-01-01 00:00:00.000003');

INSERT INTO every_type VALUES (
    4, 'zero dates and look-alikes',
    -1, 5, 128, -1, 32768, -1, 8388608, -1, 2147483648, 42, -1, 9223372036854775808,
    -0.01, 0.1, 0.0000000001, 0.000000000000000000000000000001,
    0.1, 1.5, 0.1, 0.0001,
    b'1', b'10000001', b'1000000000000000000000000000000000000000000000000000000000000000',
    0, '0000-00-00', '0000-00-00 00:00:00', '2024-00-00 00:00:00', '2024-02-31 10:00:00',
    '0000-00-00 00:00:00', '0000-00-00 00:00:00', '00:00:00', '-00:00:00.000001',
    'NULL', '\\N', 'café', 'a\tb', 'a,b', 'line\nbreak\r\n', '"quoted" ''single''', '\\x00', ' ',
    'null', 'it''s, odd', 'x,zürich',
    x'61', x'00', x'0D0A', x'5C4E', x'EFBBBF', x'80',
    ST_GeomFromText('LINESTRING(0 0,1 1)'), ST_GeomFromText('POINT(1.5 -2.5)'),
    /*M!101007 '123e4567-e89b-12d3-a456-426655440000', '192.0.2.1', '::ffff:192.0.2.1', */
    '2024-01-01 00:00:00.000004'
);

INSERT INTO every_type VALUES (
    5, 'leap day and rounding',
    0, 1, 1, 0, 1, 0, 1, 0, 1, 7, 9007199254740993, 9007199254740993,
    0.00, 0, 123456789.0123456789, 0, 16777217, 0.001, 13.748285714, 12345678.9012,
    b'0', b'1', b'1', 2024, '2024-02-29', '2024-02-29 23:59:59', '2024-02-29 23:59:59.500',
    '1969-12-31 23:59:59.999999', '2024-03-31 02:30:00', '2024-10-27 02:30:00.123456',
    '23:59:59', '100:00:00.5',
    'trail   ', 'trail   ', 'ÿ', 'TRUE', '日本語', '2024-01-01', '1e5', '0x41', '-0',
    '[]', 'new', 'y', x'00000000', x'6100', 'text', x'FF00FF', 'a', 'b',
    ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), NULL,
    /*M!101007 NULL, NULL, NULL, */
    '2024-02-29 12:00:00.000000'
);
