"""Stream maps of the settings: what is wrong with them, and with what they make of a record."""

from __future__ import annotations

import ast
import keyword
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap

from tap_looker.errors import LookerError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from singer_sdk.mapper import PluginMapper, StreamMap

    from tap_looker.looker.response import Row

ALIAS, SOURCE, FILTER = "__alias__", "__source__", "__filter__"
ELSE, KEYS = "__else__", "__key_properties__"
OPTIONS = (ALIAS, SOURCE, FILTER, ELSE, KEYS)
NOTHING = (None, "__NULL__")
MAX_REASON = 200  # characters of what Python says of an expression


def mistakes_in_maps(maps: Mapping[str, Any]) -> list[str]:
    """What is wrong with stream maps by themselves, one line each."""
    return [
        f"Setting stream_maps: {mistake}."
        for name, definition in maps.items()
        for mistake in _mistakes(name, definition)
    ]


def _mistakes(name: str, definition: Any) -> Iterator[str]:
    if name == ELSE:
        if definition not in NOTHING:
            yield f"{ELSE} can only be null, which leaves out the streams that have no map"
    elif name.startswith("__"):
        yield f"there is no option {name} (known: {ELSE})"
    elif isinstance(definition, dict):
        if ALIAS in definition and SOURCE in definition:
            yield f"{name}: {ALIAS} and {SOURCE} cannot be combined"
        for option, value in definition.items():
            if mistake := _mistake(option, value):
                yield f"{name}: {mistake}"
    elif definition not in NOTHING:
        yield f"{name} must be an object, or null to leave out the stream"


def _mistake(option: str, value: Any) -> str:
    if option in (ALIAS, SOURCE):
        if not isinstance(value, str) or not value:
            return f"{option} must be the name of a stream"
        if option == SOURCE or not _syntax_mistake(value):
            return ""
        return f"{ALIAS}: {value} is not a name: put text in single quotes inside the double ones"
    if option == KEYS:
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        return "" if is_list or value is None else f"{KEYS} must be a list of names, or null"
    if option == ELSE:
        return "" if value in NOTHING else f"{ELSE} can only be null, which leaves out the rest"
    if option != FILTER and option.startswith("__") and option.endswith("__"):
        return f"there is no option {option} (known: {', '.join(OPTIONS)})"
    if value is None or (value in NOTHING and option != FILTER):
        return ""
    if not isinstance(value, str):
        return f"{option} must be an expression in quotes, or null"
    wrong = _syntax_mistake(value)
    return f"{option}: {value or 'an empty text'} is not an expression{wrong}" if wrong else ""


def _syntax_mistake(expression: str) -> str:
    try:
        lines = ast.parse(expression).body
    except SyntaxError as error:
        return f" ({error.msg})"
    except (ValueError, RecursionError, MemoryError):
        return " that can be read"
    return "" if len(lines) == 1 and isinstance(lines[0], ast.Expr) else " (one is needed)"


def unmatched(maps: Mapping[str, Any], streams: Collection[str]) -> list[str]:
    """The maps whose stream does not exist."""
    return [
        name
        for name, definition in maps.items()
        if name != ELSE and not any(fnmatch(one, _source(name, definition)) for one in streams)
    ]


def _source(name: str, definition: Any) -> str:
    return str(definition.get(SOURCE, name)) if isinstance(definition, dict) else name


def make_maps(
    mapper: PluginMapper, stream: str, schema: dict[str, Any], keys: Sequence[str]
) -> list[StreamMap]:
    """The maps of a stream.

    Args:
        mapper: The SDK's, of the settings.
        stream: Name of the stream.
        schema: Of what is selected of it.
        keys: Its primary key.

    Raises:
        SettingsError: A map does not fit the stream.
    """
    kept = mapper.stream_maps_dict
    own = dict(one for one in _of_stream(kept, stream) if one[0])
    mapper.stream_maps_dict = {
        name: _with_keys(definition, schema, keys) for name, definition in own.items()
    }
    try:
        mapper.register_raw_stream_schema(stream, schema, keys)
    except Exception as error:
        raise SettingsError([_misfit(" and ".join(own), stream, _reason(error))]) from error
    finally:
        mapper.stream_maps_dict = kept
    maps = mapper.stream_maps[stream]
    mistakes = [
        _misfit(name, stream, mistake)
        for one, (name, definition) in zip(maps, _of_stream(kept, stream), strict=True)
        for mistake in _unusable(one, definition)
    ]
    if mistakes:
        raise SettingsError(mistakes)
    return maps


def _misfit(name: str, stream: str, reason: str) -> str:
    return f"Setting stream_maps: {name} does not fit the stream {stream}: {reason}."


def _with_keys(definition: Any, schema: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """A map that leaves out the rest, with the key, which the SDK would leave out of the schema."""
    if not isinstance(definition, dict) or ELSE not in definition:
        return definition
    added = {
        key: key
        for key in definition.get(KEYS, keys) or ()
        if key in schema["properties"] and key.isidentifier() and not keyword.iskeyword(key)
    }
    return {**added, **definition}


def _of_stream(maps: Mapping[str, Any], stream: str) -> list[tuple[str, Any]]:
    """Names and definitions of a stream's maps, in the SDK's order: a default one comes first."""
    first: tuple[str, Any] = ("", {})
    further = []
    for name, definition in maps.items():
        if fnmatch(stream, _source(name, definition)):
            if isinstance(definition, dict) and SOURCE in definition:
                further.append((name, definition))
            else:
                first = (name, definition)
    return [first, *further]


def _expressions(definition: Any) -> dict[str, str]:
    """The expressions of a map, by property; the filter, which comes first, by its option."""
    found = definition if isinstance(definition, dict) else {}
    names = sorted(found, key=lambda name: name != FILTER)
    return {
        name: found[name]
        for name in names
        if isinstance(found[name], str)
        and found[name] not in NOTHING
        and name not in (ALIAS, SOURCE, ELSE)
    }


def _unusable(one: StreamMap, definition: Any) -> Iterator[str]:
    if not isinstance(one.stream_alias, str):
        yield f"{ALIAS} must be the name of a stream, or an expression that makes one"
    if not isinstance(one, CustomStreamMap):
        return
    for option, expression in _expressions(definition).items():
        for node in ast.walk(ast.parse(expression)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id not in one.functions
            ):
                yield f"{option}: {expression} calls {node.func.id}, which does not exist"


def failure(
    maps: Mapping[str, Any],
    stream: str,
    position: int,
    one: StreamMap,
    record: Row,
    error: Exception,
) -> LookerError:
    """What is wrong where a map fails on a record.

    Args:
        maps: Of the settings.
        stream: Name of the stream.
        position: Of the map among those of the stream.
        one: The map.
        record: It fails on this.
        error: What it raised.
    """
    name, definition = _of_stream(maps, stream)[position]
    where = f"The stream map {name or stream} fails on a record"
    if isinstance(one, CustomStreamMap):
        for option, expression in _expressions(definition).items():
            alone = CustomStreamMap(
                stream_alias=one.stream_alias,
                map_config=one.map_config,
                faker_config=one.faker_config,
                raw_schema={"type": "object", "properties": {}},
                key_properties=None,
                map_transform={option: expression},
                flattening_options=None,
                stream_name=stream,
            )
            try:
                alone.transform(record)
            except Exception as found:  # noqa: BLE001
                return LookerError(f"{where}: {option}: {expression}: {_reason(found)}.")
    return LookerError(f"{where}: {_reason(error)}.")


def _reason(error: Exception) -> str:
    """What an exception says, in one line and without the names of Python's that can be spared."""
    if isinstance(error, MapExpressionError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, LookupError) and error.args:
        text = f"there is no {error.args[0]}" if isinstance(error, KeyError) else str(error)
    else:
        text = str(error) or "it cannot be evaluated"
    text = " ".join(text.replace("'NoneType'", "null").split()).rstrip(".")
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]}…"
