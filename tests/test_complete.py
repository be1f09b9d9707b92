"""Nothing that API 4.0 can list is forgotten: the official client is the measure."""

from __future__ import annotations

import inspect
import re

import pytest
from looker_sdk.sdk.api40 import methods

from tap_looker.resources.table import RESOURCES

# Collections that no stream reads, and why.
EXCLUDED = {
    "active_themes": "themes, those that hold now",
    "all_boards": "boards, from the search that pages",
    "all_dashboards": "dashboards and lookml_dashboards; the fallback of the latter",
    "all_folders": "folders, from the search that pages",
    "all_git_connection_tests": "names of tests of a connection; they say nothing of the project",
    "all_group_groups": "group_parents",
    "all_groups": "groups, from the search with hierarchy",
    "all_looks": "looks, from the search that pages",
    "all_model_sets": "model_sets, from the search that pages",
    "all_permission_sets": "permission_sets, from the search that pages",
    "all_roles": "roles, from the search that pages",
    "all_user_credentials_embeds": "user_credentials",
    "all_user_db_connections": "the caller's own OAuth connections to databases",
    "all_user_login_lockouts": "user_login_lockouts, from the search that pages",
    "all_users": "users, from the search that pages",
    "artifact": "artifacts, one key at a time",
    "color_collections_custom": "color_collections",
    "color_collections_standard": "color_collections",
    "connection_search_columns": "connection_columns, searched by a word",
    "content_summary": "alpha; what the caller's own home page shows",
    "dashboard_dashboard_elements": "dashboard_elements",
    "dashboard_layout_dashboard_layout_components": "dashboard_layout_components, from layouts",
    "folder_ancestors": "folder_ancestors, from folders",
    "folder_children": "folders.parent_id",
    "folder_children_search": "folders.parent_id",
    "folder_dashboards": "dashboards.folder",
    "get_all_repository_credentials": "credentials of git repositories: secrets",
    "get_continuous_integration_suites": "beta; needs a product of its own",
    "get_conversation_message_responses": "conversation_messages",
    "get_self_service_model_allowed_connections": "beta; names of connections the caller may use",
    "run_lookml_test": "runs queries: a side effect",
    "scheduled_plans_for_dashboard": "scheduled_plans",
    "scheduled_plans_for_look": "scheduled_plans",
    "scheduled_plans_for_lookml_dashboard": "scheduled_plans",
    "scheduled_plans_for_space": "scheduled_plans",
    "search_content": "content by a word; looks, dashboards, folders and boards hold it",
    "search_continuous_integration_runs": "beta; needs a product of its own",
    "search_groups": "groups, from the search with hierarchy",
    "search_groups_with_roles": "group_roles",
    "search_reports": "alpha; where the token of the next page is told is not documented",
    "search_roles_with_user_count": "roles; the count is in role_users",
    "search_scheduled_plans": "alpha; scheduled_plans of all users in one call",
    "search_themes": "themes",
    "search_users_names": "users",
    "user_roles": "user_roles, from users",
}

# Paths that are read without standing in the table: tap_looker/readers.py and `nested`.
BESIDES = {
    "/folders/{}/looks",
    "/content_metadata",
    *(path for resource in RESOURCES for path in resource.source.nested_lists.values()),
}


def pattern(path):
    return re.sub(r"\{\w*\}", "{}", path)


def collections():
    """Every GET of the official client that returns a list: its method and path."""
    source = inspect.getsource(methods)
    found = re.finditer(
        r"# GET (?P<path>\S+) -> (?P<type>\S+)\n(?:(?!    def ).*\n)*?    def (?P<name>\w+)\(",
        source,
    )
    return {one["name"]: one["path"] for one in found if "Sequence" in one["type"]}


READ = {pattern(path) for path in BESIDES} | {
    pattern(one.source.path) for one in RESOURCES if one.source.path
}


def test_the_official_client_was_understood():
    found = collections()
    assert len(found) > 100
    assert found["search_users"] == "/users/search"


@pytest.mark.parametrize("method", sorted(collections()))
def test_every_collection_is_read_or_excluded(method):
    read = pattern(collections()[method]) in READ
    excluded = method in EXCLUDED
    # One that a nested list falls back on may be on both lists.
    fallback = pattern(collections()[method]) in {pattern(path) for path in BESIDES}
    assert read or excluded, f"{method}: neither a stream nor in EXCLUDED"
    assert not (read and excluded) or fallback, f"{method}: is read, and in EXCLUDED"


def test_nothing_is_excluded_that_is_not_there():
    assert EXCLUDED.keys() <= collections().keys()


def test_every_path_of_the_table_is_one_of_the_official_client():
    source = inspect.getsource(methods)
    known = {pattern(path) for path in re.findall(r"# GET (\S+) ->", source)}
    assert known >= READ


def test_fields_are_asked_for_where_the_endpoint_takes_them():
    source = inspect.getsource(methods)
    for resource in RESOURCES:
        if not resource.source.path:
            continue
        path = re.escape(resource.source.path)
        path = re.sub(r"\\\{\w+\\\}", r"\\{\\w+\\}", path)
        found = re.search(rf"# GET {path} -> \S+\n(?:(?!    def ).*\n)*?    def (\w+)\(", source)
        takes = "fields" in inspect.signature(getattr(methods.Looker40SDK, found[1])).parameters
        assert takes == resource.source.supports_fields, resource.name
