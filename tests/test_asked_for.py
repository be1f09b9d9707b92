"""What a user asks for, and the tap does not know: said, and never left out silently."""

from __future__ import annotations

import pytest
from support import catalog, selecting

HISTORY = "system_activity_history"


def root(entry):
    """The metadata of a stream itself."""
    return next(one["metadata"] for one in entry["metadata"] if one["breadcrumb"] == [])


def of(entry, name):
    """The metadata of a property."""
    crumb = ["properties", name]
    return next(one["metadata"] for one in entry["metadata"] if one["breadcrumb"] == crumb)


@pytest.fixture
def edited(run):
    """Runs users and roles, with the entry of users edited."""

    def sync(edit, **settings):
        chosen = selecting("users", "roles")
        edit(next(one for one in chosen["streams"] if one["tap_stream_id"] == "users"))
        result = run(catalog=chosen, **settings)
        assert "Traceback" not in result.stderr
        return result

    return sync


# ------------------------------------------------------------------------------ what does not exist


def test_streams_that_do_not_exist_are_named(run):
    chosen = selecting("roles")
    chosen["streams"] += [
        {"tap_stream_id": "pages"},
        {"tap_stream_id": "tabs", "selected": True},
        {"tap_stream_id": "old", "selected": False},
    ]
    result = run(catalog=chosen).succeeded()
    assert result.warnings == ["The catalog selects streams that do not exist: pages, tabs."]
    assert result.records.keys() == {"roles"}


def test_not_all_of_many_are_named(run):
    chosen = selecting("roles")
    chosen["streams"] += [{"tap_stream_id": f"s{number}"} for number in range(30)]
    (line,) = run(catalog=chosen).succeeded().warnings
    assert line.endswith(": s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 20 more.")


def test_a_catalog_that_selects_only_what_does_not_exist(run, emulator):
    result = run(catalog={"streams": [{"tap_stream_id": "pages"}]})
    assert result.exit_code == 1
    assert result.warnings == ["The catalog selects streams that do not exist: pages."]
    (error,) = result.errors
    assert error.startswith("The catalog selects no stream that exists: ")
    assert emulator.calls == []


def test_streams_of_the_settings_that_the_catalog_lacks_are_named(run):
    result = run(
        catalog=selecting("roles"),
        looks=[42],
        queries=[{"name": "top", "query": "abc"}],
        system_activity=[{"explore": "user", "fields": ["user.id"], "primary_keys": ["user.id"]}],
    ).succeeded()
    assert result.warnings == [
        "Streams in the settings are missing from the catalog and are not read: look_42 "
        "(looks[0]), top (queries[0]), system_activity_user_facts (system_activity[0]). Run "
        "--discover again."
    ]


def test_bookmarks_of_streams_that_do_not_exist_are_named_and_kept(run):
    state = {"bookmarks": {"gone": {"replication_key_value": 7}, "looks": {}, "look_1": {}}}
    result = run(catalog=selecting("roles"), state=state, looks=[1]).succeeded()
    assert result.warnings[1:] == ["The state has bookmarks of streams that do not exist: gone."]
    assert result.states[-1]["bookmarks"]["gone"] == {"replication_key_value": 7}


@pytest.mark.parametrize("selected", [True, False])
@pytest.mark.parametrize("crumb", ["shoe_size", "credentials_email.shoe_size", "email.parts"])
def test_properties_that_do_not_exist_are_named(edited, crumb, selected):
    steps = [step for name in crumb.split(".") for step in ("properties", name)]

    def edit(users):
        users["metadata"] += [
            {"breadcrumb": steps, "metadata": {"selected": selected}},
            {"breadcrumb": ["properties", "older"], "metadata": {"inclusion": "available"}},
        ]

    result = edited(edit).succeeded()
    assert result.warnings == [f"The catalog names properties that do not exist: users.{crumb}."]


def test_a_catalog_of_this_release_is_all_known(run):
    result = run(catalog=catalog(), max_calls=1)
    assert not [line for line in result.warnings if line.startswith("The catalog")]


# ------------------------------------------------------------------- where it says what is selected


@pytest.mark.parametrize("where", ["entry", "schema"])
@pytest.mark.parametrize("selected", [True, False, "true", "False"])
def test_selected_outside_of_metadata_counts(run, where, selected):
    users = {"tap_stream_id": "users", "schema": {}}
    (users if where == "entry" else users["schema"])["selected"] = selected
    result = run(catalog={"streams": [users, {"tap_stream_id": "roles"}]}).succeeded()
    is_read = str(selected).lower() == "true"
    assert result.records.keys() == ({"users", "roles"} if is_read else {"roles"})
    assert not result.warnings


@pytest.mark.parametrize("selected", [True, False])
def test_selected_outside_of_metadata_that_contradicts_it(edited, selected):
    def edit(users):
        users["selected"] = selected
        root(users)["selected"] = not selected

    result = edited(edit).succeeded()
    assert ("users" in result.records) == selected
    assert result.warnings == [
        'The catalog has "selected" inside and outside of metadata, and they differ. The one '
        "outside counts: users."
    ]


def test_selected_in_the_schema_of_a_property(run):
    users = {
        "tap_stream_id": "users",
        "schema": {"properties": {"email": {"selected": False}}},
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    result = run(catalog={"streams": [users]}).succeeded()
    assert "email" not in result.schemas["users"]["schema"]["properties"]
    assert "id" in result.schemas["users"]["schema"]["properties"]


@pytest.mark.parametrize("selected", ["true", "True", "false", "FALSE"])
def test_selected_as_text(edited, selected):
    result = edited(lambda users: root(users).update(selected=selected)).succeeded()
    assert ("users" in result.records) == (selected.lower() == "true")


def test_the_smallest_catalog(run, clean):
    result = run(catalog={"streams": [{"stream": "users"}]}).succeeded()
    assert result.records == {"users": clean.records["users"]}
    assert result.schemas["users"] == clean.schemas["users"]


def test_metadata_for_a_breadcrumb_may_come_in_parts(edited):
    def edit(users):
        root(users)["selected"] = False
        users["metadata"].append({"breadcrumb": [], "metadata": {"selected": True}})

    assert edited(edit).succeeded().ids("users")


# ------------------------------------------------------------------------ what fails its own stream


def metadata(**values):
    """Edits the metadata of the stream itself."""
    values = {name.replace("_", "-"): value for name, value in values.items()}
    return lambda users: root(users).update(values)


def entry(**values):
    """Edits the entry of the stream."""
    return lambda users: users.update(values)


def item(**values):
    """Adds to the list of metadata."""
    return lambda users: users["metadata"].insert(0, values)


def deselected_key(users):
    of(users, "id").update(inclusion="available", selected=False)


def email_as_a_key(users):
    of(users, "email")["selected"] = False
    users["key_properties"] = ["email"]


NO_METHOD = "the replication method LOG_BASED is not known (known: FULL_TABLE, INCREMENTAL)"
NO_CRUMB = 'metadata[0]: breadcrumb must be [] or ["properties", "a name"]'
NO_ITEM = "metadata[0] must be an object with breadcrumb and metadata"
NO_KEY = "replication-key: there is no property updatedAt"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (metadata(replication_key="updatedAt"), NO_KEY),
        (metadata(replication_key="updatedAt", replication_method="INCREMENTAL"), NO_KEY),
        (metadata(replication_key="updatedAt", forced_replication_method="FULL_TABLE"), NO_KEY),
        (entry(replication_key="updatedAt"), NO_KEY),
        (entry(replication_key="updatedAt", replication_method="INCREMENTAL"), NO_KEY),
        (metadata(replication_method="LOG_BASED"), NO_METHOD),
        (metadata(forced_replication_method="LOG_BASED"), NO_METHOD),
        (entry(replication_method="LOG_BASED"), NO_METHOD),
        (entry(replication_method="log_based"), NO_METHOD),
        (entry(replication_method=["FULL_TABLE"]), "replication_method must be text"),
        (metadata(replication_method="INCREMENTAL"), "INCREMENTAL needs a replication key"),
        (metadata(replication_key=["id"]), "replication-key must be text"),
        (
            metadata(replication_key="role_ids"),
            "role_ids cannot be the replication key: it is not a number, text or time",
        ),
        (
            metadata(table_key_properties=["id", "mail"]),
            "key_properties: there is no property mail",
        ),
        (metadata(table_key_properties="id"), "table-key-properties must be a list of names"),
        (entry(key_properties=["mail"]), "key_properties: there is no property mail"),
        (entry(key_properties="id"), "key_properties must be a list of names"),
        (deselected_key, "the key (id) is not selected"),
        (email_as_a_key, "the key (email) is not selected"),
        (item(breadcrumb="properties.email", metadata={}), NO_CRUMB),
        (item(breadcrumb=["email"], metadata={"selected": False}), NO_CRUMB),
        (item(breadcrumb=["properties"], metadata={}), NO_CRUMB),
        (item(breadcrumb=["properties", 1], metadata={}), NO_CRUMB),
        (item(breadcrumb=None, metadata={}), NO_CRUMB),
        (item(metadata={}), NO_CRUMB),
        (item(breadcrumb=[], selected=True), NO_ITEM),
        (item(breadcrumb=[], metadata=[]), NO_ITEM),
        (lambda users: users["metadata"].insert(0, None), NO_ITEM),
        (entry(metadata={"selected": True}), "metadata must be a list"),
        (entry(metadata="x"), "metadata must be a list"),
        (metadata(selected="yes"), "selected must be true or false"),
        (metadata(selected=1), "selected must be true or false"),
        (entry(schema=[1]), "schema must be an object"),
        (entry(schema={"properties": {"id": 5}}), "schema is not a JSON Schema"),
        (entry(schema={"properties": [5]}), "schema is not a JSON Schema"),
    ],
)
def test_a_catalog_that_does_not_fit_fails_its_stream_alone(edited, clean, edit, reason):
    result = edited(edit)
    assert result.exit_code == 1
    assert result.records == {"roles": clean.records["roles"]}
    assert result.schemas.keys() == {"roles"}
    assert len(result.errors) == 2
    assert result.errors[0].startswith("Failed users: In the catalog: ")
    assert result.errors[0].endswith(f"{reason}.")


def test_a_deselected_stream_does_not_matter(edited):
    def edit(users):
        root(users).update({"selected": False, "replication-key": ["x"]})
        users["key_properties"] = "id"

    assert edited(edit).succeeded().records.keys() == {"roles"}


def test_a_stream_that_is_listed_twice(run):
    chosen = selecting("users", "roles", among=())
    chosen["streams"].append(chosen["streams"][-1])
    result = run(catalog=chosen)
    assert result.exit_code == 1
    assert result.errors[0] == "Failed users: In the catalog: the stream is listed twice."


def test_without_a_stream_that_can_be_read_there_is_no_login(run, emulator):
    chosen = selecting("users", among=())
    chosen["streams"][0]["replication_method"] = "LOG_BASED"
    assert run(catalog=chosen).exit_code == 1
    assert emulator.calls == []


@pytest.mark.parametrize("method", ["full_table", "FULL_TABLE"])
def test_a_system_activity_stream_may_be_read_in_full(run, method):
    chosen = selecting(HISTORY, among=())
    root(chosen["streams"][0])["replication-method"] = method
    settings = {"catalog": chosen, "start_date": "2020-01-01"}
    first = run(**settings).succeeded()
    assert first.ids(HISTORY)
    assert "replication_key_value" not in first.states[-1]["bookmarks"][HISTORY]


@pytest.mark.parametrize("key", ["history_created_time", "nothing"])
def test_a_system_activity_stream_has_one_replication_key(run, key):
    chosen = selecting(HISTORY, "roles", among=())
    (history,) = (one for one in chosen["streams"] if one["stream"] == HISTORY)
    root(history)["replication-key"] = key
    result = run(catalog=chosen)
    assert result.exit_code == 1
    assert result.errors[0] == (
        f"Failed {HISTORY}: In the catalog: {key} cannot be the replication key: only history_id "
        "can."
    )
    assert result.records.keys() == {"roles"}


@pytest.mark.parametrize(
    "settings",
    [
        {"looks": [1]},
        {"queries": [{"name": "look_1", "model": "a", "explore": "b", "fields": ["c"]}]},
        {"system_activity": [{"explore": "user", "fields": ["user.id"], "name": "look_1",
                              "primary_keys": ["user.id"]}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("schema", [{}, {"properties": {}}, {"properties": {"a": 5}}])
def test_a_stream_of_the_settings_without_its_schema(run, settings, schema):
    chosen = selecting("roles")
    chosen["streams"].append({"tap_stream_id": "look_1", "schema": schema})
    result = run(catalog=chosen, **settings)
    assert "Traceback" not in result.stderr
    assert result.records.keys() == {"roles"}
    assert result.errors[0].startswith("Failed look_1: ")
    assert "the catalog does not have the schema of its stream: run --discover" in result.errors[0]


@pytest.mark.parametrize(
    "found",
    [{"streams": {}}, {"streams": [1]}, {"streams": [{}]}, {"streams": [{"stream": 5}]}, {"a": 1}],
)
def test_what_is_no_catalog(run, emulator, found):
    result = run(catalog=found)
    assert result.exit_code == 1
    (error,) = result.errors
    assert error.endswith(" is not a catalog (expected the output of --discover).")
    assert emulator.calls == []


def test_what_other_taps_leave_in_a_state_does_no_harm(edited, clean):
    bookmark = {
        "replication_key": "display_name",
        "replication_key_value": "A",
        "partitions": [1, {"context": {"id": 1}}],
        "progress_markers": "none",
        "replication_key_signpost": 5,
    }

    def edit(users):
        users |= {"replication_key": "display_name", "replication_method": "INCREMENTAL"}

    result = edited(edit, state={"bookmarks": {"users": bookmark, "roles": bookmark}}).succeeded()
    assert result.records["users"] == clean.records["users"]
    assert result.states[-1]["bookmarks"]["users"]["replication_key_value"] > "A"


def test_a_bookmark_stays_where_a_value_is_null(edited, emulator):
    for user in emulator.instance.users[3:]:
        user["display_name"] = None

    def edit(users):
        users |= {"replication_key": "display_name", "replication_method": "INCREMENTAL"}

    assert not [line for line in edited(edit).succeeded().warnings if "null" in line]


@pytest.mark.parametrize(
    ("bookmark", "reason"),
    [
        ({"replication_key_value": True}, ", true, is not of the type of history_id: "),
        ({"replication_key_value": [1]}, ", [1], is not of the type of history_id: "),
    ],
)
def test_a_bookmark_that_does_not_fit_fails_its_stream_alone(run, clean, bookmark, reason):
    result = run(catalog=selecting(HISTORY, "roles"), state={"bookmarks": {HISTORY: bookmark}})
    assert result.exit_code == 1
    assert result.records == {"roles": clean.records["roles"]}
    start = f"Failed {HISTORY}: The bookmark of {HISTORY} in the state{reason}"
    assert result.errors[0].startswith(start)
    assert result.states[-1]["bookmarks"][HISTORY] == bookmark


@pytest.mark.parametrize(
    ("setting", "entry", "reason"),
    [
        (
            "looks",
            {"id": 1, "timezone": 5},
            "timezone must be the name of a time zone, such as Europe/Berlin",
        ),
        ("system_activity", {"primary_keys": "user.id"}, "primary_keys must be a list of field "
         "names"),
        ("system_activity", {"primary_keys": [5]}, "primary_keys must be a list of field names"),
        ("system_activity", {"primary_keys": ["user.id"], "name": 5}, "name must be text"),
        (
            "system_activity",
            {"primary_keys": ["user.id"], "replication_key": ["user.id"]},
            "replication_key must be the name of a field",
        ),
    ],
)  # fmt: skip
def test_entries_of_the_settings_of_another_type(run, emulator, setting, entry, reason):
    if setting == "system_activity":
        entry = {"explore": "user", "fields": ["user.id"], **entry}
    result = run(**{setting: [entry]})
    assert result.exit_code == 1
    assert result.errors == [f"Setting {setting}[0]: {reason}."]
    assert emulator.calls == []
