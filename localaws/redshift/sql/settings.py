"""SET, RESET and SHOW of the parameters that a session may change.

https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html lists them. A parameter
that would change what a statement does, and that the stand-in does not honour, takes its default
only; one that is not listed here is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name, quote_string
from localaws.redshift.sql.statements import Kind

CASE_SENSITIVE = "enable_case_sensitive_identifier"

_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its default, what it takes, and who honours it.

    `by` is "engine" for a parameter that the engine has too, "front" for one that this side
    honours or that changes no data, "default" for one that takes nothing but its default.
    """

    default: str
    takes: Literal["text", "switch", "number", "schemas", "zone"]
    by: Literal["engine", "front", "default"]
    lowest: float = 0
    highest: float = 2**31 - 1


PARAMETERS = {
    "analyze_threshold_percent": Parameter("10", "number", "front", highest=100),
    "application_name": Parameter("", "text", "engine"),
    "cast_super_null_on_error": Parameter("on", "switch", "default"),
    "client_encoding": Parameter("UTF8", "text", "default"),
    "datestyle": Parameter("ISO, MDY", "text", "engine"),
    "describe_field_name_in_uppercase": Parameter("off", "switch", "default"),
    "downcase_delimited_identifier": Parameter("on", "switch", "default"),
    CASE_SENSITIVE: Parameter("off", "switch", "front"),
    "enable_case_sensitive_super_attribute": Parameter("off", "switch", "default"),
    "enable_result_cache_for_session": Parameter("on", "switch", "front"),
    "enable_vacuum_boost": Parameter("off", "switch", "front"),
    "extra_float_digits": Parameter("0", "number", "front", lowest=-15, highest=2),
    "json_serialization_enable": Parameter("off", "switch", "default"),
    "json_serialization_parse_nested_strings": Parameter("off", "switch", "default"),
    "mv_enable_aqmv_for_session": Parameter("on", "switch", "front"),
    "navigate_super_null_on_error": Parameter("on", "switch", "default"),
    "query_group": Parameter("unset", "text", "front"),
    "search_path": Parameter("$user, public", "schemas", "engine"),
    "statement_timeout": Parameter("0", "number", "engine"),
    "timezone": Parameter("UTC", "zone", "engine"),
    "wlm_query_slot_count": Parameter("1", "number", "front", lowest=1, highest=50),
}


@dataclass(frozen=True, slots=True)
class Set:
    """SET or RESET of one parameter; `values` is empty for its default."""

    name: str
    values: tuple[str, ...]
    local: bool
    kind: str = "SET"

    def run(self, session: Session) -> Outcome:
        """Set it here or in the engine; a transaction that rolls back takes it along."""
        parameter = PARAMETERS.get(self.name)
        if parameter is not None and parameter.by != "engine":
            value = self.values[0] if self.values else None
            session.keep_setting(self.name, value, local=self.local)
            return Outcome()
        if self.name == "search_path":
            _require_schemas(session, self.values)
        session.connection.execute(self._sql().encode())
        return Outcome()

    def _sql(self) -> str:
        name = ".".join(quote_name(part) for part in self.name.split("."))
        values = ", ".join(quote_string(value) for value in self.values) or "DEFAULT"
        return f"SET {'LOCAL' if self.local else 'SESSION'} {name} TO {values}"


@dataclass(frozen=True, slots=True)
class ResetAll:
    """RESET ALL."""

    kind: str = "RESET"

    def run(self, session: Session) -> Outcome:
        """Give every parameter its default."""
        for name in list(session.settings):
            session.keep_setting(name, None, local=False)
        session.connection.execute("RESET ALL")
        return Outcome()


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW of one parameter, or of all when it has no name."""

    name: str
    kind: str = "SHOW"

    def run(self, session: Session) -> Outcome:
        """Return one value, or a row of name and setting for each parameter."""
        if not self.name:
            rows = ", ".join(
                f"({quote_string(name)}, {_value(name, session)})" for name in sorted(PARAMETERS)
            )
            words = ["SELECT * FROM (VALUES", rows, ") AS s (name, setting)"]
            return session.execute(" ".join(words))
        if self.name in PARAMETERS:
            value = _value(self.name, session)
            return session.execute(f"SELECT {value} AS {quote_name(self.name)}")
        return session.execute(f"SHOW {'.'.join(map(quote_name, self.name.split('.')))}")


def set_parameter(tokens: Sequence[Token]) -> Plan:
    """Plan SET: https://docs.aws.amazon.com/redshift/latest/dg/r_SET.html"""
    cursor = Cursor(tokens)
    cursor.expect_words("set")
    local = cursor.skip_words("local")
    if not local and cursor.peek(1).text not in ("to", "="):
        cursor.skip_words("session")
    if cursor.skip_words("time", "zone"):
        # https://docs.aws.amazon.com/redshift/latest/dg/r_timezone_config.html
        name = "timezone"
    else:
        name = _name(cursor)
        if not (cursor.skip_words("to") or cursor.skip_symbol("=")):
            raise NotSupported(f"SET {name}") if name not in PARAMETERS else cursor.error()
    if cursor.skip_words("default"):
        cursor.expect_end()
        return Set(name, (), local)
    values = [_taken(cursor)]
    while cursor.skip_symbol(","):
        values.append(_taken(cursor))
    cursor.expect_end()
    if name == "seed" or "." in name:
        checked: tuple[str, ...] = (_single(name, values),)
    else:
        checked = _checked(name, PARAMETERS[name], values)
    return Set(name, checked, local)


def reset(tokens: Sequence[Token]) -> Plan:
    """Plan RESET: https://docs.aws.amazon.com/redshift/latest/dg/r_RESET.html"""
    cursor = Cursor(tokens)
    cursor.expect_words("reset")
    if cursor.skip_words("all"):
        cursor.expect_end()
        return ResetAll()
    name = "timezone" if cursor.skip_words("time", "zone") else _name(cursor)
    cursor.expect_end()
    return Set(name, (), local=False, kind="RESET")


def show(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW of parameters: https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW.html"""
    cursor = Cursor(tokens)
    cursor.expect_words("show")
    if cursor.skip_words("all"):
        cursor.expect_end()
        return Show("")
    name = "timezone" if cursor.skip_words("time", "zone") else _name(cursor, verb="SHOW")
    if not cursor.done:
        raise NotSupported(f"SHOW {name}")
    return Show(name)


def _name(cursor: Cursor, *, verb: str = "SET") -> str:
    """Take the name of a parameter or, of two parts, of a session context variable."""
    name = cursor.name()
    if cursor.skip_symbol("."):
        if name in ("localaws", "plpgsql"):
            raise NotSupported(f"session context variables named {name}")
        return f"{name}.{cursor.name()}"
    if name not in PARAMETERS and not (name == "seed" and verb == "SET"):
        raise NotSupported(f"{verb} {name}")
    return name


def _taken(cursor: Cursor) -> str:
    sign = "-" if cursor.skip_symbol("-") else ""
    token = cursor.take()
    if token.kind not in ("word", "name", "string", "number"):
        cursor.position -= 1
        raise cursor.error()
    return sign + token.text


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        # PostgreSQL 8's words; unsourced for Redshift
        raise StatementError(f"ERROR: SET {name} takes only one argument")
    return values[0]


def _checked(name: str, parameter: Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Return the values as they are kept. Raises StatementError in PostgreSQL 8's words."""
    if parameter.takes == "schemas":
        return tuple(values)
    if name == "datestyle":
        return (", ".join(values),)
    value = _single(name, values)
    if parameter.takes == "switch":
        if value.lower() not in (*_TRUE, *_FALSE):
            raise StatementError(f'ERROR: parameter "{name}" requires a Boolean value')
        value = "on" if value.lower() in _TRUE else "off"
    elif parameter.takes == "number":
        _check_number(name, parameter, value)
    elif parameter.takes == "zone" and not value.replace("/", "").replace("_", "").isalnum():
        raise NotSupported(f"the time zone {value}: write a name such as America/New_York")
    elif name == "client_encoding" and value.lower().replace("-", "") in ("utf8", "unicode"):
        value = parameter.default
    if parameter.by == "default" and value != parameter.default:
        raise NotSupported(f"SET {name} TO {value}")
    return (value,)


def _check_number(name: str, parameter: Parameter, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise StatementError(
            f'ERROR: parameter "{name}" requires an integer value, not {value}'
        ) from None
    if not parameter.lowest <= number <= parameter.highest:
        raise StatementError(
            f'ERROR: {value} is outside the valid range for parameter "{name}" '
            f"({parameter.lowest:g} .. {parameter.highest:g})"
        )


def _require_schemas(session: Session, names: Sequence[str]) -> None:
    # "A comma-separated list of existing schema names", but public may be missing:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html ; wording is PostgreSQL 8's
    for name in names:
        if name in ("$user", "public", "pg_temp"):
            continue
        query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        if session.connection.execute(query, (name,)).fetchone() is None:
            raise StatementError(f'ERROR: schema "{name}" does not exist')


def _value(name: str, session: Session) -> str:
    """Return a parameter's value as an expression of the engine's."""
    if name == "statement_timeout":  # in milliseconds, without the unit that the engine adds
        return "(SELECT setting FROM pg_settings WHERE name = 'statement_timeout')"
    if PARAMETERS[name].by == "engine":
        return f"current_setting({quote_string(name)})"
    return quote_string(session.settings.get(name, PARAMETERS[name].default)) + "::text"


KINDS = (
    Kind(
        "SET",
        (("set",),),
        "SESSION, LOCAL, TO DEFAULT, TIME ZONE, context variables (`a.b`) and "
        + ", ".join(f"`{name}`" for name, each in PARAMETERS.items() if each.by != "default"),
        set_parameter,
    ),
    Kind("RESET", (("reset",),), "what SET knows, or ALL", reset),
    Kind("SHOW", (("show",),), "what SET knows, or ALL", show),
)
