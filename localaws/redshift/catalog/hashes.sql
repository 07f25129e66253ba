-- Hash functions. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- CRC-32C: https://docs.aws.amazon.com/redshift/latest/dg/crc32-function.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_crc32(text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(to_hex(crc32c(convert_to($1, 'UTF8'))), 8, '0') $$;
-- Empty for a wrong number of bits: https://docs.aws.amazon.com/redshift/latest/dg/SHA2.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha2(bytea, integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT encode(CASE $2 WHEN 224 THEN sha224($1) WHEN 0 THEN sha256($1) WHEN 256 THEN sha256($1)
                          WHEN 384 THEN sha384($1) WHEN 512 THEN sha512($1) ELSE '' END, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha2(text, integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha2(convert_to($1, 'UTF8'), $2) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/SHA1.html ; the engine has none (FIPS 180-4, 6.1)
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha1(bytea) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
      mask CONSTANT bigint := 4294967295;
      text_bits bigint := length($1)::bigint * 8;
      block bytea := $1 || '\x80'::bytea
                     || decode(repeat('00', (119 - length($1) % 64) % 64), 'hex')
                     || decode(lpad(to_hex(text_bits), 16, '0'), 'hex');
      h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
      w bigint[]; a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; x bigint;
    BEGIN
      FOR start IN 0 .. length(block) - 1 BY 64 LOOP
        FOR i IN 0 .. 15 LOOP
          w[i] := (get_byte(block, start + i * 4)::bigint << 24)
                  | (get_byte(block, start + i * 4 + 1) << 16)
                  | (get_byte(block, start + i * 4 + 2) << 8) | get_byte(block, start + i * 4 + 3);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
          x := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
          w[i] := ((x << 1) | (x >> 31)) & mask;
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR i IN 0 .. 79 LOOP
          CASE
            WHEN i < 20 THEN f := (b & c) | ((~b & mask) & d); k := 1518500249;
            WHEN i < 40 THEN f := b # c # d; k := 1859775393;
            WHEN i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
            ELSE f := b # c # d; k := 3395469782;
          END CASE;
          x := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
          e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := x;
        END LOOP;
        h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask,
                   (h[5] + e) & mask];
      END LOOP;
      RETURN (SELECT string_agg(lpad(to_hex(part), 8, '0'), '' ORDER BY place)
                FROM unnest(h) WITH ORDINALITY AS parts(part, place));
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha1(text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha1(convert_to($1, 'UTF8')) $$;
-- FNV-1a of 64 bits: https://docs.aws.amazon.com/redshift/latest/dg/r_FNV_HASH.html . The guide has
-- examples for texts and INTEGER; that other integers hash by their own width is unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_bytes(bytea, bigint) RETURNS bigint
  LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      two_64 CONSTANT numeric := 18446744073709551616;
      hash numeric := coalesce($2, -3750763034362895579);
      result bigint := hash;
    BEGIN
      IF $1 IS NULL THEN RETURN NULL; END IF;
      FOR place IN 0 .. length($1) - 1 LOOP
        result := result # get_byte($1, place)::bigint;
        hash := mod(result::numeric * 1099511628211, two_64);
        hash := CASE WHEN hash < 0 THEN hash + two_64 ELSE hash END;
        result := CASE WHEN hash >= two_64 / 2 THEN hash - two_64 ELSE hash END;
      END LOOP;
      RETURN result;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(text, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(convert_to($1, 'UTF8'), $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(integer, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(reverse(int4send($1)), $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(bigint, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(reverse(int8send($1)), $2) $$;
