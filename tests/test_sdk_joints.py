"""The private joints of the SDK that the tap hangs on.

An SDK that moves one of them fails here, by name, before a run fails for no visible reason.
"""

from __future__ import annotations

import inspect
import pkgutil
from datetime import UTC, datetime
from importlib import import_module

import pytest
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.base import SingerMessageType
from support import selecting, signals_kept

import tap_looker
from tap_looker.streams.sdk import SAID_OTHERWISE
from tap_looker.tap import TapLooker

METHODS = {
    # A SCHEMA only once a first answer is there
    (Stream, "_write_schema_message"): "(self)",
    # One stream fails alone
    (Stream, "_sync_records"): "(self, context=None, *, write_messages=True)",
    (Stream, "finalize_state_progress_markers"): "(self, state=None)",
    (Stream, "_write_state_message"): "(self)",
    # What the SDK says at the end of a stream that did not end by itself
    (Stream, "log"): "(self, message, *args, level=20, **kwargs)",
    # Records as they are, with the time their page came
    (Stream, "_generate_record_messages"): "(self, record)",
    (Stream, "get_batch_config"): "(self, config)",
    # ACTIVATE_VERSION, with the names that stream maps give
    (Stream, "_write_activate_version_message"): "(self, full_table_version)",
    # Bookmarks of sorted rows
    (Stream, "_increment_stream_state"): "(self, latest_record, *, context=None)",
    (Stream, "_write_starting_replication_value"): "(self, context)",
    # Settings
    (Tap, "append_builtin_config"): "(config_jsonschema)",
    (Tap, "print_about"): "(output_format=None)",
}
PROPERTIES = {
    (Stream, "mask"): property,
    (Stream, "selected"): property,
    (Stream, "is_sorted"): property,
    (Stream, "stream_maps"): property,
    (Stream, "emit_activate_version_messages"): property,
    (Stream, "metadata"): property,
    (PluginBase, "initialized_at"): property,
    (PluginBase, "plugin_version"): classproperty,
}


def name_of(joint):
    if isinstance(joint, tuple):
        return f"{joint[0].__name__}.{joint[1]}"
    return None


def plain(signature):
    """A signature without its annotations."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(parameters))


def classes_of_the_tap():
    """Every class of the tap that extends one of the SDK's."""
    for module in pkgutil.walk_packages(tap_looker.__path__, "tap_looker."):
        for found in vars(import_module(module.name)).values():
            is_own = isinstance(found, type) and found.__module__ == module.name
            if is_own and issubclass(found, (Stream, Tap)):
                yield found


def test_joints_with_streams_are_in_one_file():
    modules = {found.__module__ for found in classes_of_the_tap() for _ in private_names(found)}
    assert modules == {"tap_looker.streams.sdk"}


def test_no_final_method_is_overridden():
    for cls in classes_of_the_tap():
        for name in vars(cls):
            for base in cls.__mro__[1:]:
                found = vars(base).get(name)
                assert not getattr(found, "__final__", False), f"{cls.__name__}.{name}"


def private_names(cls):
    """Private names of a class that the SDK has too."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("singer_sdk")]
    for name in vars(cls):
        if name.startswith("_") and not name.startswith(("__", "_abc_")):
            yield from (name for base in bases[:1] if any(name in vars(one) for one in bases))


def private_overrides():
    """What the tap's classes define under a private name that the SDK has too."""
    for cls in classes_of_the_tap():
        bases = [base for base in cls.__mro__ if base.__module__.startswith("singer_sdk")]
        for name, found in vars(cls).items():
            if name.startswith("_") and not name.startswith(("__", "_abc_")):
                base = next((base for base in bases if name in vars(base)), None)
                if base:
                    yield base, name, found


@pytest.mark.parametrize(("joint", "signature"), METHODS.items(), ids=name_of)
def test_method(joint, signature):
    owner, name = joint
    assert plain(inspect.signature(getattr(owner, name))) == signature


@pytest.mark.parametrize(("joint", "kind"), PROPERTIES.items(), ids=name_of)
def test_property(joint, kind):
    owner, name = joint
    assert isinstance(inspect.getattr_static(owner, name), kind)


def test_every_private_override_is_named_here():
    named = {name for _, name in [*METHODS, *PROPERTIES]}
    overridden = {name for _, name, _ in private_overrides()}
    assert "_sync_records" in overridden
    assert overridden <= named


def test_overrides_take_what_the_sdk_passes():
    for base, name, found in private_overrides():
        theirs = inspect.getattr_static(base, name)
        if inspect.isfunction(found) and inspect.isfunction(theirs):
            ours, wanted = inspect.signature(found), inspect.signature(theirs)
            assert list(ours.parameters) == list(wanted.parameters), name
            assert [parameter.kind for parameter in ours.parameters.values()] == [
                parameter.kind for parameter in wanted.parameters.values()
            ], name


def test_sync_writes_the_schema_before_it_syncs_the_records(monkeypatch):
    """And goes through the two methods that the tap overrides."""
    order = []
    stream = a_stream()
    stream.selected = True
    monkeypatch.setattr(type(stream), "_write_schema_message", lambda _: order.append("schema"))
    monkeypatch.setattr(
        type(stream), "_sync_records", lambda _, **__: iter(order.append("records") or ())
    )
    stream.sync()
    assert order == ["schema", "records"]


def test_sync_logs_the_end_of_a_stream_that_did_not_end_by_itself():
    assert f'"{SAID_OTHERWISE} ' in inspect.getsource(Stream.sync)


def test_sync_all_goes_on_to_promote_the_state_of_each_stream(monkeypatch):
    order = []
    tap = a_tap()
    for cls, name in (
        (Stream, "sync"),
        (type(a_stream()), "finalize_state_progress_markers"),
        (Stream, "log_sync_costs"),
    ):
        monkeypatch.setattr(cls, name, lambda _, name=name: order.append(name))
    for stream in tap.streams.values():
        stream.selected = stream.name in ("roles", "users")
    Tap.sync_all(tap)
    assert order[:4] == ["sync", "finalize_state_progress_markers"] * 2


def a_tap(**selection):
    settings = {
        "api_host_url": "https://looker.example",
        "client_id": "id",
        "client_secret": "secret",
    }
    with signals_kept():
        return TapLooker(config=settings, catalog=selecting(**selection))


def a_stream():
    return a_tap().streams["users"]


def test_a_tap_has_a_state_writer_and_its_config(capsys):
    tap = a_tap()
    assert tap._config["api_host_url"] == "https://looker.example"
    tap.state_writer.write_state({"bookmarks": {"users": {}}})
    assert '"users"' in capsys.readouterr().out


def test_a_stream_has_its_tap_and_stops_a_trial_at_a_count():
    stream = a_stream()
    assert isinstance(stream._tap, TapLooker)
    assert stream.ABORT_AT_RECORD_COUNT is None
    assert issubclass(AbortedSyncFailedException, Exception)
    assert issubclass(AbortedSyncPausedException, Exception)


def test_the_mask_tells_selected_properties():
    stream = a_tap(without={"users": {"email", "credentials_email.email"}}).streams["users"]
    assert stream.mask["properties", "id"] is True
    assert stream.mask["properties", "email"] is False
    assert stream.mask["properties", "credentials_email"] is True
    assert stream.mask["properties", "credentials_email", "properties", "email"] is False
    assert stream.mask["properties", "credentials_email", "properties", "type"] is True


def test_the_writer_writes_bytes_and_flushes():
    assert issubclass(TapLooker.message_writer_class, MsgSpecWriter)
    assert plain(inspect.signature(MsgSpecWriter.write_message)) == "(self, message)"
    assert plain(inspect.signature(MsgSpecWriter.format_message)) == "(self, message)"
    assert isinstance(a_tap().message_writer, TapLooker.message_writer_class)


def test_a_record_message_is_made_of_its_stream_its_record_and_a_time():
    message = RecordMessage(stream="users", record={"id": "1"}, time_extracted=datetime.now(UTC))
    assert message.type is SingerMessageType.RECORD
    assert message.to_dict().keys() == {"type", "stream", "record", "time_extracted"}


def test_defaults_are_set_by_a_validator():
    validator = th.extend_validator_with_defaults(th.DEFAULT_JSONSCHEMA_VALIDATOR)
    settings = {}
    schema = {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}}
    assert list(validator(schema).iter_errors(settings)) == []
    assert settings == {"a": 3}


def test_capabilities_have_their_names():
    names = {str(capability.value) for capability in TapLooker.capabilities}
    assert {"catalog", "state", "discover"} <= names
    assert {TapCapabilities.CATALOG, PluginCapabilities.ABOUT} <= set(TapLooker.capabilities)
    assert "batch" not in names, "BATCH ignores deselection"
