"""Stream maps: they work without a catalog, and what is wrong with them is said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import entries, run_cli, selecting

from looker_emulator import Fault

TWO = ("roles", "users")


@pytest.fixture
def mapped(run):
    """Runs two streams through maps."""

    def sync(maps, **settings):
        catalog = settings.pop("catalog", None) or selecting(*TWO)
        result = run(catalog=catalog, stream_maps=maps, **settings)
        assert "Traceback" not in result.stderr
        return result

    return sync


def properties(result, stream):
    return result.schemas[stream]["schema"]["properties"].keys()


# ------------------------------------------------------------------------------------- what they do


def test_every_schema_is_written_without_a_catalog(run, emulator):
    result = run("--test=schema").succeeded()
    for name, entry in entries().items():
        assert properties(result, name) == entry["schema"]["properties"].keys()
        assert result.schemas[name]["key_properties"] == entry["key_properties"]
    assert emulator.calls == []


@pytest.mark.parametrize("name", ["*", "?*"])
def test_a_map_of_all_streams_needs_no_catalog(run, name):
    maps = {name: {"instance": "'mine'", "__alias__": "'looker_' + __stream_name__"}}
    result = run("--test=schema", stream_maps=maps).succeeded()
    assert result.schemas.keys() == {f"looker_{one}" for one in entries()}
    for one, entry in entries().items():
        expected = {*entry["schema"]["properties"], "instance"}
        assert properties(result, f"looker_{one}") == expected


def test_a_run_with_a_map_of_all_streams_needs_no_catalog(run, emulator):
    emulator.add_fault(Fault("denied", "/users/search", times=None))
    config, path, *_ = run.arguments(stream_maps={"*": {"x": "'1'"}}, max_calls=20)
    result = run_cli(config, path)
    assert "stream_maps" not in result.stderr
    assert result.records
    for found in result.records.values():
        assert all(record["x"] == "1" for record in found)


def test_aliases_copies_and_filters(mapped, clean):
    result = mapped(
        {
            "users": {"__alias__": "people", "__filter__": "id == '2'"},
            "mails": {"__source__": "users", "email": "email", "__else__": None},
            "roles": None,
        }
    ).succeeded()
    assert result.schemas.keys() == result.records.keys() == {"people", "mails"}
    assert [record["id"] for record in result.records["people"]] == ["2"]
    assert properties(result, "mails") == {"id", "email"}
    assert result.records["mails"] == [
        {"id": user["id"], "email": user["email"]} for user in clean.records["users"]
    ]


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
def test_what_is_left_out(mapped, nothing):
    result = mapped({"users": {"email": nothing}, "__else__": nothing}).succeeded()
    assert result.records.keys() == result.schemas.keys() == {"users"}
    assert "email" not in properties(result, "users")
    assert not any("email" in record for record in result.records["users"])
    result = mapped({"users": {"name": "display_name", "__else__": nothing}}).succeeded()
    assert properties(result, "users") == {"id", "name"}
    assert all(record.keys() == {"id", "name"} for record in result.records["users"])


@pytest.mark.parametrize(
    ("keys", "expected"), [(None, None), ([], []), (["email"], ["email"]), (["id"], ["id"])]
)
@pytest.mark.parametrize("rest", [{}, {"__else__": None}], ids=["all", "keys"])
def test_keys(mapped, keys, expected, rest):
    result = mapped({"users": {"x": "'1'", "__key_properties__": keys, **rest}}).succeeded()
    assert result.schemas["users"].get("key_properties") == expected
    assert properties(result, "users") >= {"x", *(expected or [])}
    if rest:
        assert properties(result, "users") == {"x", *(expected or [])}


def test_flattening(mapped):
    result = mapped(
        {"roles": {"set": "permission_set"}},
        flattening_enabled=True,
        flattening_max_depth=1,
    ).succeeded()
    assert {"permission_set__id", "set__id"} <= properties(result, "roles")
    assert all("permission_set__id" in record for record in result.records["roles"])


def test_a_map_of_a_deselected_stream_does_nothing(mapped, emulator):
    result = mapped({"looks": {"no_such": "no_such(1)"}}, catalog=selecting("users", without={}))
    assert result.succeeded().records.keys() == {"users"}
    assert emulator.count("/looks/search") == 0


def test_a_map_of_what_is_selected(mapped):
    catalog = selecting("roles", only={"users": {"email"}})
    result = mapped({"users": {"mail": "email"}}, catalog=catalog).succeeded()
    assert properties(result, "users") == {"id", "email", "mail"}


# -------------------------------------------------------------------------- what is wrong with them


@pytest.mark.parametrize(
    ("maps", "line"),
    [
        ({"users": 1}, "users must be an object, or null to leave out the stream"),
        ({"users": ["a"]}, "users must be an object, or null to leave out the stream"),
        ({"users": "people"}, "users must be an object, or null to leave out the stream"),
        ({"__alias__": "x"}, "there is no option __alias__ (known: __else__)"),
        (
            {"__else__": {}},
            "__else__ can only be null, which leaves out the streams that have no map",
        ),
        (
            {"users": {"__else__": "x"}},
            "users: __else__ can only be null, which leaves out the rest",
        ),
        (
            {"users": {"__fliter__": "id == '1'"}},
            "users: there is no option __fliter__ (known: __alias__, __source__, __filter__, "
            "__else__, __key_properties__)",
        ),
        ({"users": {"x": 1}}, "users: x must be an expression in quotes, or null"),
        ({"users": {"x": {"a": "b"}}}, "users: x must be an expression in quotes, or null"),
        ({"users": {"x": True}}, "users: x must be an expression in quotes, or null"),
        ({"users": {"x": "f("}}, "users: x: f( is not an expression ('(' was never closed)"),
        ({"users": {"x": ""}}, "users: x: an empty text is not an expression (one is needed)"),
        ({"users": {"x": "a = 1"}}, "users: x: a = 1 is not an expression (one is needed)"),
        (
            {"users": {"__filter__": "id =="}},
            "users: __filter__: id == is not an expression (invalid syntax)",
        ),
        (
            {"users": {"__filter__": 1}},
            "users: __filter__ must be an expression in quotes, or null",
        ),
        ({"users": {"__alias__": 1}}, "users: __alias__ must be the name of a stream"),
        (
            {"users": {"__alias__": "my users"}},
            "users: __alias__: my users is not a name: put text in single quotes inside the double "
            "ones",
        ),
        (
            {"x": {"__source__": "users", "__alias__": "y"}},
            "x: __alias__ and __source__ cannot be combined",
        ),
        ({"users": {"__key_properties__": "id"}}, "users: __key_properties__ must be a list of "
         "names, or null"),
        (
            {"us*": {"x": "len(email)"}},
            "us* does not fit the stream users: x: len(email) calls len, which does not exist",
        ),
        (
            {"users": {"__filter__": "len(email)"}},
            "users does not fit the stream users: __filter__: len(email) calls len, which does "
            "not exist",
        ),
        (
            {"users": {"__alias__": "1 + 1"}},
            "users does not fit the stream users: __alias__ must be the name of a stream, or an "
            "expression that makes one",
        ),
        (
            {"users": {"__key_properties__": ["mail"]}},
            "users does not fit the stream users: Invalid key properties for 'users': [mail]. "
            "Property 'mail' was not detected in schema",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named_before_a_call_is_made(mapped, emulator, maps, line):
    result = mapped(maps)
    assert result.exit_code == 1
    assert result.errors == [f"Setting stream_maps: {line}."]
    assert not result.warnings
    assert emulator.calls == []


def test_mistakes_are_named_by_a_trial_too(run, emulator):
    for option in ("--test", "--test=schema"):
        result = run(option, stream_maps={"users": {"id": None}})
        assert result.exit_code == 1
        (error,) = result.errors
        assert error.startswith("Setting stream_maps: users does not fit the stream users: ")
        assert "Traceback" not in result.stderr
    assert emulator.calls == []


def test_flattening_without_a_depth(mapped):
    result = mapped({}, flattening_enabled=True)
    assert result.errors == ["Setting flattening_max_depth is required when flattening is enabled."]


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"x": "1/0"}, "x: 1/0: division by zero"),
        ({"y": "id", "x": "emial"}, "x: emial: 'emial' is not defined for expression 'emial'"),
        ({"x": "record['foo']"}, "x: record['foo']: there is no foo"),
        ({"x": "int(display_name)"}, "x: int(display_name): invalid literal for int()"),
        ({"x": "email.foo()"}, "x: email.foo(): "),
        (
            {"__filter__": "email > 1"},
            "__filter__: email > 1: '>' not supported between instances of 'str' and 'int'",
        ),
    ],
)
def test_a_map_that_fails_on_a_record_fails_its_stream(mapped, clean, definition, reason):
    result = mapped({"users": definition})
    assert result.exit_code == 1
    assert result.records == {"roles": clean.records["roles"]}
    assert result.errors[0].startswith(
        f"Failed users: The stream map users fails on a record: {reason}"
    )
    assert len(result.errors) == 2
    assert "Error" not in result.errors[0]


def test_a_map_that_fails_on_one_record(mapped, clean):
    name = clean.records["users"][3]["display_name"]
    expression = f"1 / (display_name != '{name}')"
    result = mapped({"copy": {"__source__": "us*", "x": expression}})
    assert result.exit_code == 1
    assert len(result.records["users"]) == 4
    assert len(result.records["copy"]) == 3
    assert "The stream map copy fails on a record: x: 1 / (display_name" in result.errors[0]


def test_maps_of_streams_that_do_not_exist_are_named(mapped):
    maps = {"usrs": {}, "copy": {"__source__": "pages"}, "x*": None, "us*": {}, "looks": {}}
    result = mapped(maps).succeeded()
    assert result.warnings == ["stream_maps names streams that do not exist: usrs, copy, x*."]


def test_not_all_of_many_are_named(mapped):
    result = mapped({f"s{number}": {} for number in range(30)}).succeeded()
    (line,) = result.warnings
    assert line.endswith(": s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 20 more.")


def test_the_map_of_the_documentation_hides_addresses(mapped):
    page = Path(__file__).parents[1] / "docs" / "howto" / "personal-data.md"
    (_, *blocks) = page.read_text("utf-8").split("```json\n")
    (shown,) = (one.partition("```")[0] for one in blocks if "md5(" in one)
    result = mapped(json.loads(shown)["stream_maps"]).succeeded()
    found = [user["email"] for user in result.records["users"]]
    assert None in found
    assert all(one is None or len(one) == 32 for one in found)
    assert "credentials_email" not in properties(result, "users")
    assert "@" not in json.dumps(result.records["users"])
