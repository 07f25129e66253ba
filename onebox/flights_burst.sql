-- A busy moment: some 7,000 rows change at once, in five tables, and stamp themselves.
-- May be applied any number of times; every time each statement changes rows.

UPDATE flights SET arr_delay = COALESCE(arr_delay, 0) + 1 WHERE id MOD 97 = 13;

INSERT INTO flights (year, month, day, dep_time, sched_dep_time, dep_delay, arr_time,
                     sched_arr_time, arr_delay, carrier, flight, tailnum, origin, dest, air_time,
                     distance, hour, minute, time_hour)
SELECT year + 1, month, day, dep_time, sched_dep_time, dep_delay, arr_time,
       sched_arr_time, arr_delay, carrier, flight, tailnum, origin, dest, air_time,
       distance, hour, minute, time_hour + INTERVAL 1 YEAR
FROM flights
WHERE month = 3 AND day BETWEEN 1 AND 3
LIMIT 2500;

UPDATE weather SET humid = 100 - humid WHERE MINUTE(time_hour) = 0 AND day = 7;

INSERT INTO weather (origin, time_hour, year, month, day, hour, temp, wind_dir)
SELECT origin, later, YEAR(later), MONTH(later), DAY(later), HOUR(later), 33.33, 270
FROM (SELECT origin, MAX(time_hour) + INTERVAL 1 HOUR AS later FROM weather GROUP BY origin) AS newest;

UPDATE planes SET seats = seats + 1 WHERE engines > 2 OR tailnum LIKE 'N1%';

UPDATE airports SET alt = alt + 1 WHERE faa LIKE 'A%';

UPDATE airlines SET name = IF(RIGHT(name, 1) = '*', LEFT(name, CHAR_LENGTH(name) - 1), CONCAT(name, '*'))
WHERE carrier IN ('UA', 'DL', 'B6');
