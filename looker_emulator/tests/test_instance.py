"""What an instance holds: the same every time, and coherent."""

from __future__ import annotations

import itertools
import json

import pytest

from looker_emulator import Emulator
from looker_emulator.tests.api import ids


def test_content_is_the_same_every_time():
    one, other = (vars(Emulator().instance) for _ in range(2))
    assert json.dumps(one, default=sorted) == json.dumps(other, default=sorted)


@pytest.mark.parametrize("scale", ["small", "medium", 0.2])
def test_content_is_coherent(scale):
    instance = Emulator(scale).instance
    users, groups, roles, folders, queries, looks = (
        set(ids(rows))
        for rows in (
            instance.users,
            instance.groups,
            instance.roles,
            instance.folders,
            instance.queries,
            instance.looks,
        )
    )
    models = {model["name"] for model in instance.lookml_models}
    explores = {
        (model["name"], explore["name"])
        for model in instance.lookml_models
        for explore in model["explores"]
    }
    for user in instance.users:
        assert groups >= set(user["group_ids"])
        assert roles >= set(user["role_ids"])
        assert user["home_folder_id"] in folders
        assert user["personal_folder_id"] in folders | {None}
    for group in instance.groups:
        assert groups - {group["id"]} >= set(group["parent_group_ids"])
        assert roles >= set(group["role_ids"])
    for model_set in instance.model_sets:
        assert models >= set(model_set["models"])
    for folder in instance.folders:
        assert folder["parent_id"] in folders | {None}
        assert folder["creator_id"] in users | {None}
    for look in instance.looks:
        assert (look["folder_id"], look["user_id"]) == (look["folder"]["id"], look["user_id"])
        assert look["folder_id"] in folders
        assert look["query_id"] == look["query"]["id"]
        assert {look["user_id"], look["deleter_id"], look["last_updater_id"]} <= users | {None}
    tiles = [
        tile for dashboard in instance.all_dashboards for tile in dashboard["dashboard_elements"]
    ]
    for tile in tiles:
        assert tile["query_id"] in queries | {None}
        assert tile["look_id"] in looks | {None}
    for query in instance.queries:
        assert (query["model"], query["view"]) in explores
        assert query["id"] == query["slug"]
        assert len(query["id"]) == len(query["client_id"]) == 22
    for merge in instance.merge_queries:
        assert queries >= {source["query_id"] for source in merge["source_queries"]}
    for name, rows in vars(instance).items():
        if isinstance(rows, list) and rows and "id" in rows[0]:
            assert len(set(ids(rows))) == len(rows), name
    used = [tile["query_id"] for tile in tiles if tile["query_id"]]
    assert len(set(used)) < len(used)


def test_what_is_made_when_it_is_read_is_the_same_every_time():
    one, other = (Emulator().instance for _ in range(2))
    assert "alerts" not in vars(one)
    for name in ("alerts", "content_metadata", "scheduled_plans", "boards", "content_views"):
        assert getattr(one, name) == getattr(other, name)
    assert one.alerts is one.alerts


@pytest.mark.parametrize("scale", ["small", "medium"])
def test_what_is_made_when_it_is_read_is_coherent(scale):
    instance = Emulator(scale).instance
    users, groups, looks, tiles, queries = (
        {row["id"] for row in getattr(instance, name)}
        for name in ("users", "groups", "looks", "dashboard_elements", "queries")
    )
    dashboards = {row["id"] for row in instance.dashboards}
    lookml = {row["id"] for row in instance.lookml_dashboards}
    metadata = {row["id"]: row for row in instance.content_metadata}
    for row in itertools.chain(
        instance.board_items,
        instance.content_favorites,
        instance.scheduled_plans,
        instance.content_views,
    ):
        assert row["look_id"] in looks | {None}
        assert row["dashboard_id"] in dashboards | {None}
        assert row.get("lookml_dashboard_id") in lookml | {None}
        assert row.get("user_id") in users | {None}
        assert row.get("content_metadata_id") in metadata.keys() | {None}
    for collection in ("folders", "looks", "all_dashboards", "boards", "agents"):
        for row in getattr(instance, collection):
            assert row["content_metadata_id"] in metadata.keys() | {None}
    for row in instance.content_metadata:
        assert row["parent_id"] in metadata.keys() | {None}
        assert not metadata[row["inheriting_id"]]["inherits"]
    inherits = sum(row["inherits"] for row in instance.content_metadata)
    assert len(metadata) / 2 < inherits < len(metadata) == len(instance.content_metadata)
    for row in instance.content_metadata_accesses:
        assert not metadata[row["content_metadata_id"]]["inherits"]
        assert row["group_id"] in groups | {None}
        assert row["user_id"] in users | {None}
    for alert in instance.alerts:
        assert alert["dashboard_element_id"] in tiles
        assert alert["query_id"] in queries
        assert alert["owner_id"] in users
    favourites = {row["id"]: row for row in instance.content_favorites}
    assert len(favourites) == len(instance.content_favorites)
    for row in instance.looks + instance.dashboards:
        if row["content_favorite_id"]:
            assert favourites[row["content_favorite_id"]]["user_id"] == instance.me[0]["id"]
