"""String, hash and VARBYTE functions, by the examples of their pages."""

from typing import Any

import pytest

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg/"
_WORDS = "passwd7 plain A1234 a1234"
_PERL = "(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+"

EXAMPLES = [
    ("r_ASCII", "ascii('amazon')", 97),
    ("r_BTRIM", "btrim('xyzaxyzbxyzcxyz', 'xyz')", "axyzbxyzc"),
    ("r_CHARINDEX", "charindex('fish', 'dogfish')", 4),
    ("r_CHR", "chr(65)", "A"),
    ("r_CONCAT", "concat('December 25, ', '2008')", "December 25, 2008"),
    ("r_CONCAT", "concat('Thursday, ', concat('December 25, ', '2008'))",
     "Thursday, December 25, 2008"),
    ("r_CONCAT", "concat('a', NULL)", None),
    ("r_CONCAT", "to_hex(concat('abc'::varbyte, 'def'::varbyte))", "616263646566"),
    ("crc32-function", "crc32('Amazon Redshift')", "f2726906"),
    ("DIFFERENCE", "difference('AC/DC', 'Ay See Dee See')", 4),
    ("SOUNDEX", "soundex('Amazon')", "A525"),
    ("r_MD5", "md5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a"),
    ("FUNC_SHA1", "func_sha1('Amazon Redshift')", "eeac5ed1e11cda66032c30ad77b25071b5487f55"),
    ("SHA2", "sha2('Amazon Redshift', 256)",
     "15013dc10bc5b293f1f66ea28d818387f191cafeb26f89639fae0b4acf9c8772"),
    ("SHA2", "sha2('Amazon Redshift', 1)", ""),
    ("r_FNV_HASH", "fnv_hash(1)", -5968735742475085980),
    ("r_FNV_HASH", "fnv_hash('Amazon Redshift')", 7783490368944507294),
    ("r_FNV_HASH", "fnv_hash('Amazon Redshift', fnv_hash(1))", -2202602717770968555),
    ("r_FNV_HASH", "fnv_hash('abcd')", -281581062704388899),
    ("r_INITCAP", "initcap('nibh enim')", "Nibh Enim"),
    ("r_LEFT", "left('Chicago', 5) || right('Chicago', 2)", "Chicago"),
    ("r_LEN", "len('français')", 8),
    ("r_LEN", "len('cat   ')", 6),
    ("r_LEN", "len('aaa'::varbyte)", 3),
    ("r_OCTET_LENGTH", "octet_length('français')", 9),
    ("r_LPAD", "lpad('cat', 6, '.')", "...cat"),
    ("OCTETINDEX", "octetindex('AWS', 'Amazon AWS')", 8),
    ("OCTETINDEX", "octetindex('AWS', 'Άμαζον AWS')", 14),
    ("r_POSITION", "position('fish' in 'dogfish')", 4),
    ("r_QUOTE_IDENT", "quote_ident('\"CAT\"')", '"""CAT"""'),
    ("r_QUOTE_LITERAL", "quote_literal('it''s')", "'it''s'"),
    ("REGEXP_COUNT", "regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8),
    ("REGEXP_COUNT", "regexp_count('the fox', 'FOX', 1, 'i')", 1),
    ("REGEXP_COUNT", f"regexp_count('{_WORDS}', '{_PERL}', 1, 'p')", 2),
    ("REGEXP_COUNT", f"regexp_count('{_WORDS}', '{_PERL}', 1, 'ip')", 3),
    ("REGEXP_INSTR", "regexp_instr('the fox', 'FOX', 1, 1, 0, 'i')", 5),
    ("REGEXP_INSTR", f"regexp_instr('{_WORDS}', '{_PERL}', 1, 2, 0, 'p')", 21),
    ("REGEXP_INSTR", f"regexp_instr('{_WORDS}', '{_PERL}', 1, 2, 0, 'ip')", 15),
    ("REGEXP_REPLACE", "regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i')",
     "the quick brown fox"),
    ("REGEXP_REPLACE", f"regexp_replace('{_WORDS}', '{_PERL}', '[hidden]', 1, 'ip')",
     "[hidden] plain [hidden] [hidden]"),
    ("REGEXP_SUBSTR", "regexp_substr('the fox', 'FOX', 1, 1, 'i')", "fox"),
    ("REGEXP_SUBSTR", "regexp_substr('the fox', 'cat')", ""),
    ("REGEXP_SUBSTR", "regexp_substr('This is a cat, this is a dog. This is a mouse.', "
     r"'this is a (\\w+)', 1, 2, 'ie')", "dog"),
    ("r_REPEAT", "repeat('ab', 2)", "abab"),
    ("r_REPLICATE", "replicate('ab', 2)", "abab"),
    ("r_REPLACE", "replace('Shows', 'Sh', 'N')", "Nows"),
    ("r_REVERSE", "reverse('cat')", "tac"),
    ("SPLIT_PART", "split_part('abc$def$ghi','$',2)", "def"),
    ("r_STRPOS", "strpos('dogfish', 'fish')", 4),
    ("r_STRTOL", "strtol('0xf',16)", 15),
    ("r_STRTOL", "strtol('abcd1234',16)", 2882343476),
    ("r_SUBSTRING", "substring('caterpillar',6,4)", "pill"),
    ("r_SUBSTRING", "substring('caterpillar' from 6 for 4)", "pill"),
    ("r_SUBSTRING", "to_hex(substring('abc'::varbyte, 2, 10))", "6263"),
    ("r_TEXTLEN", "textlen('abc')", 3),
    ("r_TRANSLATE", "translate('mint tea', 'inea', 'osin')", "most tin"),
    ("r_TRIM", "trim('\"' FROM '\"dog\"')", "dog"),
    ("r_TRIM", "trim('    abc    ')", "abc"),
    ("r_TO_HEX", "to_hex(2147676847)", "8002f2af"),
    ("r_TO_HEX", "to_hex('abc'::varbyte)", "616263"),
    ("r_FROM_HEX", "to_hex(from_hex('6162'))", "6162"),
    ("r_FROM_VARBYTE", "from_varbyte('ab', 'hex')", "6162"),
    ("r_FROM_VARBYTE", "from_varbyte(from_hex('4d'), 'binary')", "01001101"),
    ("r_TO_VARBYTE", "to_hex(to_varbyte('01001101', 'binary'))", "4d"),
    ("r_TO_VARBYTE", "to_hex(to_varbyte('4', 'hex'))", "04"),
    ("r_TO_VARBYTE", "to_hex(to_varbyte('a', 'utf8'))", "61"),
    ("r_GETBIT", "getbit(from_hex('4d'), 2)", 1),
    ("r_VARBYTE_OPERATORS", "to_hex('a'::varbyte || 'b'::varbyte)", "6162"),
    ("r_VARBYTE_OPERATORS", "to_hex('a'::varbyte + 'b'::varbyte)", "6162"),
    ("r_VARBYTE_OPERATORS", "'a'::varbyte < 'b'::varbyte", True),
    ("r_TO_HEX", "'abc'::varbyte::varchar", "abc"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sql", "value"), EXAMPLES)
def test_its_page_says_so(primary: Any, page: str, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]], f"{_GUIDE}{page}.html"


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html : bytes, not
        # characters
        ("CAST('Fourscore and seven' AS VARCHAR(5))", "Fours"),
        ("'éééé'::VARCHAR(5)", "éé"),
        ("CONVERT(CHAR(4), 2008)", "2008"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
        ("TRY_CAST('abc' AS INT)", None),
        ("TRY_CAST('5' AS INT)", 5),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
        ("CAST(109.652 AS DECIMAL(4,1))", "109.7"),
    ],
)
def test_casts(primary: Any, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_CONCAT.html : two arguments
        ("CONCAT('a', 'b', 'c')", "does not exist"),
        # https://github.com/elementary-data/elementary/issues/1540
        ("TRUE::VARCHAR", "cannot cast type boolean to character varying"),
        # https://docs.aws.amazon.com/redshift/latest/dg/SPLIT_PART.html
        ("SPLIT_PART('a', ',', -1)", "must be greater than zero"),
        ("123.456::DECIMAL(2,1)", "Numeric data overflow"),
        ("STRTOL('9', 8)", "is not valid to be converted to base 8"),
        pytest.param(
            "FORMAT('%s', 1)",
            "localaws does not support the function FORMAT",
            marks=pytest.mark.stand_in,
        ),
    ],
)
def test_what_redshift_refuses(primary: Any, sql: str, said: str) -> None:
    assert said in primary.error(f"SELECT {sql}")


def test_a_cast_in_a_new_table_keeps_its_length(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} AS SELECT 'abc'::VARCHAR(3) AS v, 'ab'::CHAR(2) AS c")
    assert primary.rows(
        "SELECT column_name, character_maximum_length FROM svv_columns "
        f"WHERE table_name = '{table}' ORDER BY 1"
    ) == [["c", 2], ["v", 3]]


def test_a_text_of_a_table_that_is_no_number(primary: Any, table: str) -> None:
    # https://github.com/OHDSI/SqlRender/issues/276
    primary.run(f"CREATE TABLE {table} (v VARCHAR(9))", f"INSERT INTO {table} VALUES ('2.87')")
    said = primary.error(f"SELECT v::INT FROM {table}")
    assert said.startswith("ERROR: Invalid digit, Value '.', Pos 1, Type: Integer")
    assert "code:      1207" in said
    assert "context:   2.87" in said


def test_divisions_by_zero(primary: Any, table: str) -> None:
    # https://github.com/awslabs/amazon-redshift-utils/pull/123
    primary.run(f"CREATE TABLE {table} (i INT)", f"INSERT INTO {table} VALUES (0)")
    assert "Divide by zero" in primary.error(f"SELECT 1 / i FROM {table}")


def test_an_error_does_not_name_what_is_behind(primary: Any) -> None:
    said = primary.error("SELECT LEN(ARRAY(1))")
    assert "redshift_" not in said
    assert "super" in said
