"""Flat rows: made of what other streams read, and no call of their own."""

from __future__ import annotations

import json
from collections import Counter
from typing import get_type_hints

import duckdb
import pytest
from looker_sdk.sdk.api40 import models
from support import Runner, catalog, entries, keys_of, selecting

from looker_emulator import Emulator, Fault
from looker_emulator.instance.lookml.derived_tables import DERIVED
from looker_emulator.instance.lookml.model_explores import explore
from tap_looker.resources import derived
from tap_looker.resources.flat import Derived, Flat
from tap_looker.resources.table import BY_NAME, RESOURCES
from tests.test_questions import QUESTIONS
from tests.test_resources import paths

FLAT = {one.name: one for one in RESOURCES if isinstance(one.source, Flat)}
LISTS_OF_OBJECTS = {
    "dashboard_filters",
    "dashboard_layouts",
    "explore_fields",
    "user_credentials_api3",
}
"""Those that hold whole objects, and lists in them."""
LINEAGE = ("derived_table_edges", "explore_sql", "explore_tables")
each_flat = pytest.mark.parametrize("name", sorted(FLAT))


def of_lists(parents, path, *columns):
    """Keys of what is in a list of each row of another collection, as (its id, item or keys)."""

    def found(instance):
        return [
            (row["id"], *((item[column] for column in columns) if columns else (item,)))
            for row in getattr(instance, parents)
            for item in row[path] or ()
        ]

    return found


def of_places(parents, path):
    """Keys of lists whose items have no name: the id of the row around, and their place."""
    return lambda instance: [
        (row["id"], place)
        for row in getattr(instance, parents)
        for place, _ in enumerate(row[path])
    ]


def of_explores(rows_of):
    def found(instance):
        for model in instance.lookml_models:
            for one in model["explores"]:
                about = explore(instance, model["name"], one["name"])
                if (
                    model["name"] != "thelook"
                ):  # its explores answer queries, and are made elsewhere
                    yield from ((about["id"], key) for key in rows_of(about))

    return lambda instance: list(found(instance))


def ancestors(instance):
    parents = {row["id"]: row["parent_id"] for row in instance.folders}
    for folder, parent in parents.items():
        above = parent
        while above is not None:
            yield folder, above
            above = parents[above]


def ways(instance):
    """Which tile gets to its numbers how."""
    tiles = [(tile["dashboard_id"], tile) for tile in instance.dashboard_elements]
    tiles += [(row["id"], tile) for row in instance.lookml_dashboards
              for tile in row["dashboard_elements"]]  # fmt: skip
    for dashboard, tile in tiles:
        if tile["query_id"]:
            yield dashboard, tile["id"], "query"
        elif tile["look_id"]:
            yield dashboard, tile["id"], "look"
        elif tile["merge_result_id"]:
            yield dashboard, tile["id"], "merge"
        elif tile["result_maker"]:
            yield dashboard, tile["id"], "result_maker"


def logins(instance):
    for user in instance.users:
        for name, value in user.items():
            if name.startswith("credentials_"):
                for one in value if isinstance(value, list) else filter(None, [value]):
                    kind = name.removeprefix("credentials_")
                    yield user["id"], kind, one.get("id", user["id"])


HELD = {
    "alert_destinations": of_places("alerts", "destinations"),
    "dashboard_element_queries": lambda instance: list(ways(instance)),
    "dashboard_layout_components": lambda instance: [
        (component["id"],)
        for board in instance.dashboards
        for layout in board["dashboard_layouts"]
        for component in layout["dashboard_layout_components"]
    ],
    "explore_access_filters": of_explores(lambda one: range(len(one["access_filters"]))),
    "explore_joins": of_explores(lambda one: [join["name"] for join in one["joins"]]),
    "folder_ancestors": lambda instance: list(ancestors(instance)),
    "group_parents": of_lists("groups", "parent_group_ids"),
    "group_roles": of_lists("groups", "role_ids"),
    "lookml_dashboard_elements": of_lists("lookml_dashboards", "dashboard_elements", "id"),
    "lookml_model_explores": lambda instance: [
        (f"{model['name']}::{one['name']}",)
        for model in instance.lookml_models
        for one in model["explores"]
    ],
    "merge_query_sources": of_places("merge_queries", "source_queries"),
    "model_set_models": of_lists("model_sets", "models"),
    "permission_set_permissions": of_lists("permission_sets", "permissions"),
    "scheduled_plan_destinations": of_lists("scheduled_plans", "scheduled_plan_destination", "id"),
    "user_credentials": lambda instance: list(logins(instance)),
    "user_groups": of_lists("users", "group_ids"),
    "user_roles": of_lists("users", "role_ids"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of all that is flat, and the instance."""
    with Emulator() as emulator:
        run = Runner(emulator, tmp_path_factory.mktemp("flat"))(catalog=selecting(*FLAT))
        return run.succeeded(), emulator.instance


def keys(run, name):
    return [tuple(record[key] for key in keys_of(name)) for record in run.records.get(name, [])]


@pytest.mark.parametrize("name", sorted(HELD))
def test_all_that_the_instance_holds_is_a_row(whole, name):
    run, instance = whole
    found = keys(run, name)
    if name.startswith("explore_"):
        found = [key for key in found if not key[0].startswith("thelook::")]
    assert found
    assert sorted(found) == sorted(HELD[name](instance))


@each_flat
def test_rows_hold_plain_values_and_more_than_their_key(name):
    entry = entries()[name]
    if name in LISTS_OF_OBJECTS:
        return
    kinds = {kind for of in entry["schema"]["properties"].values() for kind in of["type"]}
    assert not {"array", "object"} & kinds
    assert set(entry["schema"]["properties"]) > set(entry["key_properties"])


@pytest.mark.parametrize(
    "name", [name for name, one in FLAT.items() if isinstance(one.source, Derived)]
)
def test_rows_have_all_their_columns(whole, name):
    columns = set(entries()[name]["schema"]["properties"])
    assert {frozenset(record) for record in whole[0].records[name]} == {frozenset(columns)}


@each_flat
def test_selected_where_its_parents_are(name):
    parents = [BY_NAME[parent].default for parent in FLAT[name].source.reads()]
    rare = {"user_credentials_api3"}  # all of it is in user_credentials
    assert FLAT[name].default == (all(parents) and name not in rare)


# ------------------------------------------------------------------------------------ what it costs


def test_flat_rows_of_the_default_selection_cost_no_call(run, emulator):
    selected = {one.name for one in RESOURCES if one.default}
    run(catalog=selecting(*selected)).succeeded()
    calls = Counter((call.method, call.path) for call in emulator.calls)
    emulator.reset_calls()
    result = run(catalog=selecting(*selected - FLAT.keys())).succeeded()
    assert not FLAT.keys() & result.records.keys()
    assert Counter((call.method, call.path) for call in emulator.calls) == calls


@each_flat
def test_a_child_costs_what_its_parents_cost_and_reads_them_without_writing_them(
    run, emulator, name
):
    parents = FLAT[name].source.reads()
    beside = run(catalog=selecting(name, *parents)).succeeded()
    calls = Counter((call.method, call.path) for call in emulator.calls)
    emulator.reset_calls()
    alone = run(catalog=selecting(name)).succeeded()
    assert beside.records.keys() == {name, *parents}
    assert alone.records == {name: beside.records[name]}
    assert Counter((call.method, call.path) for call in emulator.calls) == calls


def test_calls_of_the_default_selection_on_a_medium_instance(tmp_path):
    with Emulator("medium") as emulator:
        result = Runner(emulator, tmp_path)(catalog=catalog()).succeeded()
    assert result.log("INFO")[-1] == "Cost: 66 admin calls, 1 query call, 1 login."


# -------------------------------------------------------------------------- people and their access


def test_a_row_for_each_way_in(whole):
    run, instance = whole
    found = {(one["user_id"], one["type"]): one for one in run.records["user_credentials"]}
    for user in instance.users:
        if email := user["credentials_email"]:
            one = found[user["id"], "email"]
            assert one["email"] == email["email"]
            assert one["logged_in_at"] == (email["logged_in_at"] or None)
            assert one["is_disabled"] == email["is_disabled"]
        for embedded in user["credentials_embed"]:
            assert found[user["id"], "embed"]["external_id"] == embedded["external_user_id"]
    assert {kind for _, kind in found} >= {"api3", "email", "embed", "google", "saml", "totp"}


def test_no_way_in_holds_a_secret(whole):
    run, instance = whole
    assert "SECRET-" in json.dumps(instance.users)
    written = json.dumps(run.records["user_credentials"])
    assert "SECRET-" not in written
    for user in instance.users:
        assert not any(key["client_id"] in written for key in user["credentials_api3"])


def test_every_kind_of_credentials_is_read_and_of_each_what_there_is():
    kinds = {
        name.removeprefix("credentials_"): hint
        for name, hint in get_type_hints(models.User).items()
        if name.startswith("credentials_")
    }
    assert kinds.keys() == derived.CREDENTIALS.keys()
    for kind, names in derived.CREDENTIALS.items():
        (model,) = [
            model for title, model in vars(models).items()
            if title.lower() == f"credentials{kind}".replace("_", "")
        ]  # fmt: skip
        assert get_type_hints(model).keys() >= set(names)


# ---------------------------------------------------------------------------------------- folders


def test_ancestors_are_as_far_as_the_root(whole):
    run, instance = whole
    rows = {row["id"]: row for row in instance.folders}
    for one in run.records["folder_ancestors"]:
        above = one["folder_id"]
        for _ in range(one["depth"]):
            above = rows[above]["parent_id"]
        assert above == one["ancestor_id"]
        assert one["folder_name"] == rows[one["folder_id"]]["name"]
        assert one["ancestor_name"] == rows[above]["name"]


def test_a_path_has_the_names_from_the_root(run, emulator):
    result = run(catalog=selecting("folders")).succeeded()
    rows = {row["id"]: row for row in emulator.instance.folders}
    assert emulator.count("/folders/search") == 1
    for record in result.records["folders"]:
        names = [row["name"] for row in (rows[record["id"]],) if row["name"]]
        above = rows[record["id"]]["parent_id"]
        while above:
            names.insert(0, rows[above]["name"])
            above = rows[above]["parent_id"]
        assert record["path"] == ("/".join(names) or None)


def test_a_path_alone_asks_for_what_it_is_made_of(run, emulator):
    result = run(catalog=selecting(only={"folders": {"path"}})).succeeded()
    (call,) = [call for call in emulator.calls if call.path == "/folders/search"]
    assert set(call.query["fields"].split(",")) == {"id", "name", "parent_id"}
    assert {frozenset(record) for record in result.records["folders"]} == {
        frozenset({"id", "path"})
    }
    assert not result.warnings


def test_paths_lead_through_folders_that_are_not_in_the_run(run, emulator):
    folder = next(row for row in emulator.instance.folders if row["parent_id"] not in (None, "1"))
    whole = run(catalog=selecting("folders")).succeeded()
    result = run(
        catalog=selecting("folders", "folder_ancestors"), folder_ids=[folder["id"]]
    ).succeeded()
    expected = {one["id"]: one["path"] for one in whole.records["folders"]}
    inside = {one["id"] for one in result.records["folders"]}
    assert folder["parent_id"] not in inside
    assert all(one["path"] == expected[one["id"]] for one in result.records["folders"])
    of_it = [one for one in result.records["folder_ancestors"] if one["folder_id"] == folder["id"]]
    assert of_it[0]["ancestor_id"] == folder["parent_id"]
    assert of_it[0]["ancestor_name"]
    assert {one["folder_id"] for one in result.records["folder_ancestors"]} <= inside


def test_folders_in_a_circle_and_folders_out_of_sight(run, emulator):
    first, second, third, *_ = [row for row in emulator.instance.folders if row["parent_id"]]
    first["parent_id"], second["parent_id"] = second["id"], first["id"]
    third["parent_id"] = "98765"
    result = run(catalog=selecting("folders", "folder_ancestors")).succeeded()
    found = {
        (one["ancestor_id"], one["depth"], one["ancestor_name"])
        for one in result.records["folder_ancestors"]
        if one["folder_id"] == first["id"]
    }
    assert found == {(second["id"], 1, second["name"])}
    (out,) = [one for one in result.records["folder_ancestors"] if one["folder_id"] == third["id"]]
    assert (out["ancestor_id"], out["ancestor_name"]) == ("98765", None)
    paths = {one["id"]: one["path"] for one in result.records["folders"]}
    assert paths[third["id"]] == third["name"]
    assert paths[first["id"]] == f"{second['name']}/{first['name']}"


# ---------------------------------------------------------------------------------- tiles, queries


def test_every_query_of_a_tile_is_in_queries(run, emulator):
    result = run(catalog=selecting("dashboard_element_queries", "queries")).succeeded()
    known = set(result.ids("queries"))
    ways = {via: [] for via in ("query", "look", "merge", "result_maker")}
    for one in result.records["dashboard_element_queries"]:
        ways[one["via"]].append(one["query_id"])
    assert all(ways.values())
    assert set(ways.pop("merge")) == {None}
    assert {query for found in ways.values() for query in found} <= known
    tiles = {row["id"]: row for row in emulator.instance.dashboard_elements}
    for one in result.records["dashboard_element_queries"]:
        tile = tiles.get(one["dashboard_element_id"])
        if tile and one["via"] == "look":
            assert (one["look_id"], one["query_id"]) == (tile["look_id"], tile["look"]["query_id"])
        if tile and one["via"] == "merge":
            assert one["merge_query_id"] == tile["merge_result_id"]


def test_a_result_maker_may_have_another_query_than_its_tile(run, emulator):
    instance = emulator.instance
    tile = next(row for row in instance.dashboard_elements if row["query_id"])
    other = next(one for one in instance.queries if one["id"] != tile["query_id"])
    tile["result_maker"] |= {"query": None, "query_id": other["id"]}
    result = run(catalog=selecting("dashboard_element_queries")).succeeded()
    found = [one for one in result.records["dashboard_element_queries"]
             if one["dashboard_element_id"] == tile["id"]]  # fmt: skip
    assert [(one["via"], one["query_id"]) for one in found] == [
        ("query", tile["query_id"]),
        ("result_maker", other["id"]),
    ]


def test_tiles_of_lookml_dashboards_without_ids_have_their_place(run, emulator):
    board = emulator.instance.lookml_dashboards[0]
    for tile in board["dashboard_elements"]:
        tile["id"] = None
    names = ("lookml_dashboard_elements", "dashboard_element_queries")
    result = run(catalog=selecting(*names)).succeeded()
    places = [str(place) for place, _ in enumerate(board["dashboard_elements"])]
    for name, column in zip(names, ("id", "dashboard_element_id"), strict=True):
        of_board = [one for one in result.records[name] if one["dashboard_id"] == board["id"]]
        assert [one[column] for one in of_board] == places


def only_merged(instance):
    """A query that a tile merges, and no tile and no look shows: as most of them are."""
    query = {**instance.queries[0], "id": "MergedOnly", "slug": "MergedOnly"}
    instance.queries.append(query)
    source = instance.merge_queries[0]["source_queries"][0]
    source |= {"query_id": query["id"], "query_slug": query["slug"]}
    return query["id"]


@pytest.mark.parametrize("beside", ["merge_queries", "merge_query_sources"])
def test_queries_that_tiles_merge_are_in_queries_where_merged_queries_are_read(
    run, emulator, beside
):
    merged = only_merged(emulator.instance)
    result = run(catalog=selecting("queries", "query_fields", beside)).succeeded()
    assert merged in result.ids("queries")
    assert merged in {one["query_id"] for one in result.records["query_fields"]}
    assert emulator.count("/queries/*") == 1
    emulator.reset_calls()
    result = run(catalog=selecting("queries")).succeeded()
    assert merged not in result.ids("queries")
    assert emulator.count("/merge_queries/*") == emulator.count("/queries/*") == 0


def test_merged_queries_that_cannot_be_read_do_not_take_the_others_along(run, emulator):
    emulator.add_fault(Fault("denied", "/merge_queries/*", times=None))
    result = run(catalog=selecting("queries", "merge_queries"))
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.errors[:-1]] == ["Failed merge_queries"]
    assert result.records["queries"]


def a_query(emulator, **properties):
    """One query of the instance, changed: it is on a tile."""
    tile = next(row for row in emulator.instance.dashboard_elements if row["query"])
    bare = dict.fromkeys(tile["query"])
    kept = {name: tile["query"][name] for name in ("id", "slug", "model", "view")}
    tile["query"].update({**bare, **kept, "fields": [], "can": {}, **properties})
    return tile["query"]["id"]


def named(run, query):
    return {
        (one["place"], one["field"], one["is_custom"])
        for one in run.records["query_fields"]
        if one["query_id"] == query
    }


def test_fields_are_found_wherever_a_query_names_them(run, emulator):
    query = a_query(
        emulator,
        fields=["orders.status", "orders.status", "big_orders", "users.state"],
        pivots=["users.state"],
        fill_fields=["orders.created_date"],
        subtotals=["orders.status"],
        sorts=["orders.count desc 0", "users.state", "share desc"],
        filters={"orders.created_date": "7 days", "big_orders": ">5"},
        filter_expression='${users.age} > 20 AND matches_filter(${orders.region}, `"${x"`)',
        dynamic_fields=json.dumps(
            [
                {"table_calculation": "share", "is_disabled": True,
                 "expression": "${orders.count} / ${ big_orders:total}"},
                {"measure": "big_orders", "based_on": "orders.amount", "type": "sum",
                 "filters": {"orders.size": ">100"}, "filter_expression": "${is_old} = yes"},
                {"dimension": "is_old", "expression": "${users.born:row_total} < 1990"},
                {"dimension": "ages", "calculation_type": "group_by",
                 "args": ["users.age", [{"label": "a.b", "filter": "[0,10)"}], "Other", 7]},
                {"table_calculation": "of_row", "source_field": "orders.count",
                 "args": ["orders.count"], "expression": None},
            ]
        ),
    )  # fmt: skip
    result = run(catalog=selecting("query_fields", "query_dynamic_fields")).succeeded()
    assert named(result, query) == {
        ("field", "orders.status", False),
        ("field", "big_orders", True),
        ("field", "users.state", False),
        ("pivot", "users.state", False),
        ("fill", "orders.created_date", False),
        ("subtotal", "orders.status", False),
        ("sort", "orders.count", False),
        ("sort", "users.state", False),
        ("sort", "share", True),
        ("filter", "orders.created_date", False),
        ("filter", "big_orders", True),
        ("filter", "users.age", False),
        ("filter", "orders.region", False),
        ("calculation", "orders.count", False),
        ("calculation", "big_orders", True),
        ("custom_field", "orders.amount", False),
        ("custom_field", "orders.size", False),
        ("custom_field", "is_old", True),
        ("custom_field", "users.born", False),
        ("custom_field", "users.age", False),
    }
    found = {
        one["name"]: one
        for one in result.records["query_dynamic_fields"]
        if one["query_id"] == query
    }
    assert {name: one["kind"] for name, one in found.items()} == {
        "share": "table_calculation",
        "big_orders": "measure",
        "is_old": "dimension",
        "ages": "dimension",
        "of_row": "table_calculation",
    }
    assert found["share"]["is_disabled"] is True
    assert json.loads(found["big_orders"]["filters"]) == {"orders.size": ">100"}
    assert json.loads(found["ages"]["args"])[0] == "users.age"


def test_null_is_none_in_a_query(run, emulator):
    query = a_query(emulator, fields=None)
    result = run(catalog=selecting("query_fields", "query_dynamic_fields")).succeeded()
    assert named(result, query) == set()
    assert not result.warnings


@pytest.mark.parametrize("text", ["[{", '"a"', "[1]", '{"measure": "a"}', "nonsense"])
def test_dynamic_fields_that_are_not_json_cost_nothing_else(run, emulator, text):
    query = a_query(emulator, fields=["orders.count"], dynamic_fields=text)
    result = run(catalog=selecting("query_fields", "query_dynamic_fields")).succeeded()
    assert named(result, query) == {("field", "orders.count", False)}
    assert result.records["query_dynamic_fields"]
    said = [line for line in result.warnings if query in line]
    assert len(said) == 2, "once for each of the streams"
    assert all("dynamic_fields" in line for line in said)


# ------------------------------------------------------------------------------ what does not come


@pytest.mark.parametrize("kind", ["null", "absent"])
@pytest.mark.parametrize(
    ("name", "collection", "path"),
    [
        ("user_roles", "users", "role_ids"),
        ("group_parents", "groups", "parent_group_ids"),
        ("alert_destinations", "alerts", "destinations"),
        ("scheduled_plan_destinations", "scheduled_plans", "scheduled_plan_destination"),
        ("merge_query_sources", "merge_queries", "source_queries"),
    ],
)
def test_a_list_that_does_not_come_is_skipped_and_counted(
    run, emulator, name, collection, path, kind
):
    row = next(row for row in getattr(emulator.instance, collection) if row[path])
    whole = run(catalog=selecting(name)).succeeded()
    row[path] = None
    if kind == "absent":
        del row[path]
    result = run(catalog=selecting(name)).succeeded()
    assert result.records[name] == [
        one for one in whole.records[name] if one[keys_of(name)[0]] != row["id"]
    ]
    assert f"{name}: 1 item(s) skipped, see the warnings above." in result.warnings
    assert any(f" {row['id']}." in line and path in line for line in result.warnings)


OF_TILES = ("query", "query_id", "look", "look_id", "merge_result_id", "result_maker")
NOT_SHOWN = {
    "folder_ancestors": ("folders", ("parent_id",)),
    "dashboard_element_queries": ("dashboard_elements", OF_TILES),
    "queries": ("dashboard_elements", OF_TILES),
    "content_metadata": ("boards", ("content_metadata_id",)),
}
"""What streams are made of: where it is, and its names."""


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_a_row_that_does_not_show_what_others_are_made_of_is_counted(run, emulator, name):
    """Null says that there is nothing; an absent property says nothing."""
    collection, properties = NOT_SHOWN[name]
    assert emulator.instance.content_metadata  # made of what is taken away here
    for prop in properties:
        getattr(emulator.instance, collection)[0].pop(prop, None)
    result = run(catalog=selecting(name)).succeeded()
    assert result.records[name]
    assert f"{name}: 1 item(s) skipped, see the warnings above." in result.warnings


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_what_no_row_shows_is_not_empty(run, emulator, name):
    properties = NOT_SHOWN[name][1]
    instance = emulator.instance
    collections = ("folders", "looks", "boards", "dashboards", "dashboard_elements")
    for row in [row for one in collections for row in getattr(instance, one)]:
        for prop in properties:
            row.pop(prop, None)
        row["folder_id" if name == "queries" else "deleted"] = None
    instance.lookml_dashboards.clear()
    result = run(catalog=selecting(name, "folders"))
    assert result.exit_code == 1
    assert any(error.startswith(f"Failed {name}: ") for error in result.errors)
    assert name not in result.schemas
    if name == "folder_ancestors":
        assert {row["path"] for row in result.records["folders"]} == {None}


def test_queries_that_do_not_show_their_own_fields_are_counted(run, emulator):
    query = a_query(emulator, fields=["orders.count"])
    for tile in emulator.instance.dashboard_elements:
        for holder in (tile, tile.get("look") or {}, tile.get("result_maker") or {}):
            if (holder.get("query") or {}).get("id") == query:
                holder["query"].pop("dynamic_fields", None)
    result = run(catalog=selecting("query_dynamic_fields")).succeeded()
    assert any(query in line and "dynamic_fields" in line for line in result.warnings)


def test_credentials_that_cannot_be_told_apart_are_counted(run, emulator):
    user = emulator.instance.users[0]
    user["credentials_api3"] = [{"is_disabled": False}, {"is_disabled": True}]
    result = run(catalog=selecting("user_credentials")).succeeded()
    assert not [
        one
        for one in result.records["user_credentials"]
        if (one["user_id"], one["type"]) == (user["id"], "api3")
    ]
    assert "user_credentials: 1 item(s) skipped, see the warnings above." in result.warnings


@pytest.mark.parametrize(
    "changes", [{"credentials_email": "?"}, {"credentials_api3": ["?"]}, {"credentials_embed": {}}]
)
def test_credentials_of_another_shape_are_counted(run, emulator, changes):
    emulator.instance.users[0].update(changes)
    result = run(catalog=selecting("user_credentials")).succeeded()
    assert result.records["user_credentials"]
    assert "user_credentials: 1 item(s) skipped, see the warnings above." in result.warnings


@pytest.mark.parametrize("name", ["user_roles", "user_groups", "user_credentials"])
def test_lists_that_nobody_shows_are_denied_and_not_empty(run, emulator, name):
    public = ("id", "first_name", "last_name", "display_name", "avatar_url", "url")
    for user in emulator.instance.users:
        for prop in [prop for prop in user if prop not in public]:
            del user[prop]
    result = run(catalog=selecting(name, "users"))
    assert result.exit_code == 1
    assert len(result.records["users"]) == len(emulator.instance.users)
    assert name not in result.schemas
    (line,) = [line for line in result.errors if line.startswith(f"Failed {name}: ")]
    assert "the Admin role" in line
    assert run(catalog=selecting(name, "users"), on_denied="skip").succeeded()


def test_a_model_without_content_and_a_set_of_everything_may_have_no_list(run, emulator):
    instance = emulator.instance
    instance.lookml_models[-1] |= {"has_content": False, "explores": None}
    instance.model_sets[0] |= {"all_access": True, "models": None}
    instance.permission_sets[0] |= {"all_access": True, "permissions": None}
    names = ("lookml_model_explores", "model_set_models", "permission_set_permissions")
    result = run(catalog=selecting(*names)).succeeded()
    assert result.records.keys() == set(names)
    assert not result.warnings


def test_what_comes_twice_is_one_row(run, emulator):
    instance = emulator.instance
    user = next(row for row in instance.users if row["role_ids"])
    user["role_ids"] = [*user["role_ids"], *map(int, user["role_ids"]), None]
    plan = instance.scheduled_plans[0]
    plan["scheduled_plan_destination"] *= 2
    names = ("user_roles", "scheduled_plan_destinations")
    result = run(catalog=selecting(*names)).succeeded()
    for name in names:
        assert max(Counter(keys(result, name)).values()) == 1
    assert not result.warnings


def test_an_item_that_is_something_else_is_named(run, emulator):
    emulator.instance.users[0]["role_ids"] = ["2", {"id": "3"}]
    emulator.instance.alerts[0]["destinations"] = ["me"]
    result = run(catalog=selecting("user_roles", "alert_destinations")).succeeded()
    assert ("1", "2") in keys(result, "user_roles")
    assert len([line for line in result.warnings if "1 item(s) skipped" in line]) == 2


def test_lists_of_the_parent_that_nobody_selected_are_not_asked_for(run, emulator):
    emulator.add_fault(Fault("drop_nested", "/users/search", names=("credentials_api3",)))
    result = run(catalog=selecting("user_credentials")).succeeded()
    assert paths(emulator, "/users/").keys() == {"/users/search"}
    assert result.records["user_credentials"]
    assert any("credentials_api3" in line for line in result.warnings)


# ---------------------------------------------------------------------------- what it is good for


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Answers in SQL over the default selection and lineage, in files; and the instance."""
    folder = tmp_path_factory.mktemp("landed")
    with Emulator() as emulator, duckdb.connect() as database:
        selected = [one.name for one in RESOURCES if one.default]
        run = Runner(emulator, folder)(catalog=selecting(*selected, *LINEAGE)).succeeded()
        for name, records in run.records.items():
            file = folder / f"{name}.jsonl"
            file.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
            database.execute(f"create table {name} as from read_json('{file}', sample_size = -1)")
        yield lambda sql: database.execute(sql).fetchall(), emulator.instance


def test_which_dashboards_and_looks_use_a_field(ask):
    answer, instance = ask
    found = answer(QUESTIONS["Which dashboards and looks use a field, and where?"].sql)
    with_field = {
        query["id"]
        for query in instance.queries
        if "orders.count" in query["fields"]
        or "${orders.count}" in (query["filter_expression"] or "") + (query["dynamic_fields"] or "")
    }
    looks = {look["id"] for look in instance.looks
             if look["query_id"] in with_field and not look["deleted"]}  # fmt: skip
    live = {board["id"] for board in instance.dashboards if not board["deleted"]}
    dashboards = {
        tile["dashboard_id"]
        for tile in instance.dashboard_elements
        for holder in (tile, tile["look"] or {}, tile["result_maker"] or {})
        if holder.get("query_id") in with_field and tile["dashboard_id"] in live
    }
    assert looks
    assert dashboards
    assert {id_ for kind, id_, *_ in found if kind == "look"} == looks
    assert {id_ for kind, id_, *_ in found if kind == "dashboard"} == dashboards
    assert {place for *_, place in found} >= {"field", "calculation"}


def test_who_may_query_a_model(ask):
    answer, instance = ask
    groups = {group["id"]: group for group in instance.groups}
    roles = {
        role["id"]
        for role in instance.roles
        if "storefront" in role["model_set"]["models"]
        and "access_data" in role["permission_set"]["permissions"]
    }
    expected = set()
    for user in instance.users:
        held, waiting = {*user["role_ids"]}, [*user["group_ids"]]
        while waiting:
            group = groups[waiting.pop()]
            held |= {*group["role_ids"]}
            waiting += group["parent_group_ids"]
        if held & roles and not user["is_disabled"]:
            expected.add(user["id"])
    assert 0 < len(expected) < len(instance.users)
    assert {
        id_ for id_, _ in answer(QUESTIONS["Who may query a model, through roles and groups?"].sql)
    } == expected


def test_who_logs_in_how(ask):
    answer, instance = ask
    found = answer(QUESTIONS["Who logs in how, and who has not for 60 days?"].sql)
    assert {id_ for id_, *_ in found} == {
        user["id"] for user in instance.users if not user["is_disabled"]
    }, "the clock of the emulator stands still: nobody has logged in lately"
    assert {kind for _, _, kind, *_ in found} >= {"api3", "email", "embed", "saml", None}


def test_which_tiles_of_lookml_dashboards_use_which_explore(ask):
    answer, instance = ask
    found = answer("""
        select e.dashboard_id, e.id, q.model, q."view"
        from lookml_dashboard_elements as e
        join dashboard_element_queries as t
            on t.dashboard_id = e.dashboard_id and t.dashboard_element_id = e.id
        join queries as q on q.id = t.query_id
        join lookml_model_explores as x on x.model_name = q.model and x.name = q."view" """)
    assert sorted(found) == sorted(
        (board["id"], tile["id"], tile["query"]["model"], tile["query"]["view"])
        for board in instance.lookml_dashboards
        for tile in board["dashboard_elements"]
    )


def physical(view):
    """The tables of a view of the emulator's models."""
    if view not in DERIVED:
        return {f"greenhouse.{view}"}
    parts = [{name} if kind == "table" else physical(name) for kind, name in DERIVED[view]]
    return set().union(*parts)


def test_where_the_numbers_of_a_dashboard_come_from(ask):
    answer, instance = ask
    views = [
        (board, element, query["model"], query["view"], view)
        for board, element, query in tile_queries(instance)
        for view in {name.partition(".")[0] for name in query["fields"] if "." in name}
    ]
    found = {}
    for row in answer(
        QUESTIONS["Where do the numbers of dashboards come from: tile, explore, view, table?"].sql
    ):
        *key, table, source = row
        found.setdefault(tuple(key), {}).setdefault(source, set()).add(table)
    assert DERIVED.keys() & {view for *_, view in views}
    for key in views:
        ways = found[key]
        assert ways["generated_sql"] == physical(key[-1]), key
        assert ways.get("derived_table_graph", physical(key[-1])) == physical(key[-1])
    assert {source for ways in found.values() for source in ways} == {
        "sql_table_name",
        "derived_table_graph",
        "generated_sql",
    }


def tile_queries(instance):
    """The queries that tiles show by themselves: dashboard, tile, query."""
    for board in instance.dashboards:
        for tile in instance.dashboard_elements:
            if tile["dashboard_id"] == board["id"] and tile["query_id"]:
                yield board["id"], tile["id"], tile["query"]
