"""The settings, and the one place that checks and normalises them."""

from __future__ import annotations

import contextlib
import difflib
import io
import json
import logging
import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values, load_dotenv
from singer_sdk import typing as th

from tap_looker.errors import LookerError, SettingsError
from tap_looker.files import read_text
from tap_looker.looker import certificates
from tap_looker.looker.address import api_host, has_more
from tap_looker.looker.session import checked_headers
from tap_looker.queries import definitions
from tap_looker.settings_schema import CREDENTIALS, DEFAULT_DAYS_BACK
from tap_looker.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

logger = logging.getLogger("tap-looker")

_WHAT_TYPE = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def from_environment(schema: dict[str, Any], prefix: str, dotenv_path: str) -> dict[str, Any]:
    """Settings from ``TAP_LOOKER_*`` variables and a ``.env`` file.

    Raises:
        SettingsError: Values that cannot be read as the type of their setting.
    """
    if dotenv_path:
        load_dotenv(stream=io.StringIO(read_text(dotenv_path, dotenv_path)))
    _warn_of_misspelt(schema, prefix)
    found: dict[str, Any] = {}
    errors: list[str] = []
    for name, definition in schema["properties"].items():
        variable = f"{prefix}{name.upper()}"
        text = os.environ.get(variable, "").strip()
        if not text:
            continue  # an empty line of a .env file is no setting
        try:
            found[name] = _from_text(text, definition)
        except ValueError:
            errors.append(f"Environment variable {variable}: must be {_types(definition)}.")
    if errors:
        raise SettingsError(errors)
    return found


def _warn_of_misspelt(schema: dict[str, Any], prefix: str) -> None:
    """Name variables that are nearly one of a setting; others may be somebody else's."""
    known = [f"{prefix}{name.upper()}" for name in schema["properties"]]
    for variable in sorted(os.environ):
        if variable.startswith(prefix) and variable not in known:
            close = difflib.get_close_matches(variable, known, 1, 0.9)
            if close:
                logger.warning("%s is not a setting; did you mean %s?", variable, close[0])


def not_read(schema: dict[str, Any], prefix: str, dotenv_path: str) -> list[str]:
    """A hint where there are settings in the environment, or a ``.env`` file, that are not read."""
    try:
        text = read_text(dotenv_path, dotenv_path) if dotenv_path else ""
        in_file = dotenv_values(stream=io.StringIO(text))
    except LookerError:
        in_file = {}
    names = [f"{prefix}{name.upper()}" for name in schema["properties"]]
    for where, values in ((f"The file {dotenv_path}", in_file), ("The environment", os.environ)):
        if any(values.get(name) for name in names):
            return [f"{where} has {prefix} variables, which are only read with --config=ENV."]
    return []


def _from_text(text: str, definition: dict[str, Any]) -> Any:
    types = definition.get("type", "string")
    kind = types if isinstance(types, str) else types[0]
    return _READERS[kind](text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("no boolean")
    return _BOOLEANS[text.lower()]


def _list(text: str) -> Any:
    """A list from JSON, or from what stands between commas."""
    return json.loads(text) if text.startswith("[") else [one.strip() for one in text.split(",")]


def prepare(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Check and normalise a configuration in place: its one normal form for all that follows.

    When none of the three credentials is given, those of the official SDK's environment
    variables (``LOOKERSDK_*``) are taken; the two sources are never mixed.

    Returns:
        What is wrong, one line each, without the value of any secret.
    """
    for name in CREDENTIALS:
        if isinstance(config.get(name), str):
            config[name] = config[name].strip()
    has_own = any(config.get(name) for name in CREDENTIALS)
    if not has_own:
        config |= {
            name: text
            for name, variable in CREDENTIALS.items()
            if (text := os.environ.get(variable, "").strip())
        }
    for name in [name for name, value in config.items() if value is None]:
        del config[name]  # null is how Meltano says "not set"
    missing = [name for name in CREDENTIALS if config.get(name) in (None, "")]
    errors = [_missing(missing, from_official=not has_own)] if missing else []
    unknown = sorted(config.keys() - schema["properties"].keys())
    if unknown:
        logger.warning("Unknown settings are ignored: %s.", ", ".join(unknown))
    wrong = _type_errors(config, schema)
    if not wrong:
        given = str(config.get("api_host_url"))
        for name, normalise in _NORMALISERS.items():
            if name in missing:
                continue  # --list, for one, does without
            try:
                config[name] = normalise(config.get(name))
            except ValueError as error:
                wrong.append(f"Setting {name}: {error}.")
        wrong += _certificate_errors(config)
        if not missing and not wrong:
            _warn(config, given)
    return errors + wrong


def _missing(names: list[str], *, from_official: bool) -> str:
    """What to do where credentials are missing, in one line."""
    many = len(names) > 1
    official = [CREDENTIALS[name] for name in names]
    subject = f"Settings {_all_of(names)} are missing" if many else f"Setting {names[0]} is missing"
    if from_official and len(names) < len(CREDENTIALS):
        others = _all_of(CREDENTIALS[name] for name in CREDENTIALS if name not in names)
        return f"{subject}: set {_all_of(official)}, which belongs to {others}."
    own = _all_of(f"TAP_LOOKER_{name.upper()}" for name in names)
    ways = f"in the config file, or with --config=ENV as {own}"
    ways += f", or as {_all_of(official)}" if from_official else ""
    return f"{subject}: give {'them' if many else 'it'} {ways}."


def _all_of(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _warn(config: Mapping[str, Any], given: str) -> None:
    """Say what is possible, but hardly meant."""
    if has_more(given):
        logger.warning(
            "Setting api_host_url: what follows the host is ignored. Requests go to %s/api/4.0.",
            config["api_host_url"],
        )
    start, end = config.get("start_date"), config.get("end_date")
    if start and end and parse_time(start) >= parse_time(end):
        logger.warning(
            "Setting start_date (%s) is not before end_date (%s): without a bookmark, usage data of"
            " no time are read.",
            start,
            end,
        )
    elif start and parse_time(start) > datetime.now(UTC):
        logger.warning(
            "Setting start_date (%s) is in the future: without a bookmark, no usage data are read.",
            start,
        )


def _type_errors(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Sets the defaults, and says which values do not fit the schema."""
    if "stream_maps" in schema["properties"]:  # what is in them is checked elsewhere
        maps = {"stream_maps": {"type": "object"}}
        schema = {**schema, "properties": {**schema["properties"], **maps}}
    with_defaults = th.extend_validator_with_defaults(th.DEFAULT_JSONSCHEMA_VALIDATOR)
    # The entries of lists are checked where their options are known: queries/definitions.py.
    shallow = {
        name: {key: value for key, value in of.items() if key != "items"}
        if name in definitions.SETTINGS
        else of
        for name, of in schema["properties"].items()
    }
    errors = []
    for error in with_defaults({**schema, "properties": shallow}).iter_errors(config):
        if error.validator == "required" or not error.path:
            continue
        name = str(error.path[0])
        where = name + "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in list(error.path)[1:]
        )
        if schema["properties"].get(name, {}).get("secret") or error.validator == "type":
            reason = f"must be {_types(error.schema)}"
            if schema["properties"].get(name, {}).get("secret"):
                reason += ' (put it in quotes: "…")'
        elif error.validator == "enum":
            reason = "must be one of " + ", ".join(map(str, error.validator_value))
        elif error.validator in ("minimum", "maximum"):
            low, high = error.schema.get("minimum"), error.schema.get("maximum")
            bounds = f"at least {low}" if high is None else f"from {low} to {high}"
            reason = f"must be {bounds}, not {error.instance}"
        else:
            reason = "is not valid: see --about"
        errors.append(f"Setting {where}: {reason}.")
    return errors


def _types(definition: dict[str, Any]) -> str:
    types = definition.get("type", "string")
    names = [types] if isinstance(types, str) else types
    return " or ".join(_WHAT_TYPE.get(name, name) for name in names if name != "null")


def start_date(config: Mapping[str, Any]) -> str:
    """From when on to read usage data in a first run: ISO 8601, in UTC."""
    if config.get("start_date"):
        return str(config["start_date"])
    time = datetime.now(UTC) - timedelta(days=DEFAULT_DAYS_BACK)
    return time.replace(microsecond=0).isoformat()


def _timestamp(value: str) -> str:
    """A time in UTC; without an offset it is taken for UTC (Meltano writes it so)."""
    try:
        return parse_time(value).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ValueError("must be a date or time like 2026-01-01T00:00:00Z") from None


def _header_text(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[\x20-\x7e]*", value):
        raise ValueError("must be plain ASCII text on one line")
    return (value or "").strip() or None


def _name(value: str | None) -> str | None:
    text = (value or "").strip()
    if not text.isprintable():
        raise ValueError("must be plain text on one line")
    return text or None


def _certificate_errors(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the files of certificates."""
    certificate, key = config.get("client_cert"), config.get("client_cert_key")
    if key and not certificate:
        return ["Setting client_cert_key: client_cert, the file of the certificate, is missing."]
    if certificate:
        try:
            certificates.check_client(certificate, key or certificate)
        except ValueError as error:
            return [f"Setting client_cert: {error}."]
    is_https = str(config.get("api_host_url")).startswith("https:")
    return certificates.check_environment() if is_https and not config.get("ca_bundle") else []


def _explore_patterns(patterns: list[str] | None) -> list[str]:
    for pattern in patterns or []:
        if "::" not in pattern:
            raise ValueError(f"must be like model::explore, not {pattern}")
    return list(patterns or [])


def _patterns(value: str | list[str] | None) -> list[str] | None:
    """Names and patterns, from a text with commas, a list, or the JSON of one."""
    entries = [value or ""] if not isinstance(value, list) else value
    if isinstance(value, str) and value.startswith("["):
        with contextlib.suppress(ValueError):  # a pattern may begin so too
            entries = [str(one) for one in json.loads(value)]
    parts = [part.strip() for entry in entries for part in entry.split(",")]
    return [part for part in parts if part] or None


def _bundle(path: str | None) -> str | None:
    if path:
        certificates.check_bundle(path)
    return path or None


_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": _boolean,
    "array": _list,
    "object": json.loads,
}
_NORMALISERS: dict[str, Callable[[Any], Any]] = {
    "api_host_url": api_host,
    "start_date": lambda value: _timestamp(value) if value else None,
    "end_date": lambda value: _timestamp(value) if value else None,
    "user_agent": _header_text,
    "ca_bundle": _bundle,
    "client_cert": lambda path: path or None,
    "client_cert_key": lambda path: path or None,
    "http_headers": checked_headers,
    "instance": _name,
    "max_calls": lambda calls: calls,
    "request_timeout": float,  # a file's come as decimals
    "max_retry_time": float,
    "select": _patterns,
    "folder_ids": lambda ids: [str(one).strip() for one in ids or []],
    "models": lambda names: list(names or []),
    "activate_version_anyway": lambda names: list(names or []),
    "exclude_models": lambda patterns: list(patterns or []),
    "exclude_explores": _explore_patterns,
}
