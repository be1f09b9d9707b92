"""Nothing that API 4.0 can list is forgotten: the official client is the measure."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
from looker_sdk.sdk.api40 import methods
from support import entries

from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.resource import is_older
from tap_looker.resources.table import RESOURCES

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import compare_sdk
from compare_sdk import pattern

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
    "all_user_login_lockouts": "user_login_lockouts, from the search that pages",
    "all_users": "users, from the search that pages",
    "artifact": "artifacts, one key at a time",
    "color_collections_custom": "color_collections",
    "color_collections_standard": "color_collections",
    "connection_search_columns": "connection_columns, searched by a word",
    "dashboard_dashboard_elements": "dashboard_elements",
    "dashboard_layout_dashboard_layout_components": "dashboard_layout_components, from layouts",
    "folder_ancestors": "folder_ancestors, from folders",
    "folder_children": "folders.parent_id",
    "folder_children_search": "folders.parent_id",
    "folder_dashboards": "dashboards.folder",
    "get_self_service_model_allowed_connections": "connections, those that the key's user may use",
    "run_lookml_test": "lookml_tests; to know their results is to run queries in the warehouse",
    "scheduled_plans_for_dashboard": "scheduled_plans",
    "scheduled_plans_for_look": "scheduled_plans",
    "scheduled_plans_for_lookml_dashboard": "scheduled_plans",
    "scheduled_plans_for_space": "scheduled_plans",
    "search_content": "content by a word; looks, dashboards, folders and boards hold it",
    "search_groups": "groups, from the search with hierarchy",
    "search_groups_with_roles": "group_roles",
    "search_reports": "alpha; an answer is a list, and Looker does not document where it puts the "
    "token of the next page: nobody could tell whether the reports are all there",
    "search_roles": "roles, from the search that counts users; the fallback where that is missing",
    "search_scheduled_plans": "scheduled_plans, which are those of all users in one call",
    "search_themes": "themes",
    "search_users_names": "users",
    "user_roles": "user_roles, from users",
}

# Objects there is one of, in an instance or in each row of a list, that no stream reads, and why.
# Not listed here: the rows of a list one by one, `GET /looks/{look_id}`.
SINGLES = {
    "api_spec": "describes the API and not the instance",
    "artifact_value": "artifacts.value",
    "check_pdt_build": "needs the id that starting a build gives; system_activity_pdt_builds",
    "async_deploy_status": "needs the id that starting a deployment gives",
    "content_thumbnail": "a picture, drawn by running queries",
    "dashboard_aggregate_table_lookml": "LookML that Looker suggests for a dashboard",
    "dashboard_filter": "dashboard_filters",
    "dashboard_layout": "dashboard_layouts",
    "dashboard_layout_component": "dashboard_layouts.dashboard_layout_components",
    "dashboard_filter_state": "what somebody has set in the address of a dashboard",
    "default_color_collection": "active_color_collections.default_collection_id",
    "default_theme": "deprecated; instance_settings say which theme is the default",
    "default_theme_by_type": "themes, the default one of them",
    "find_git_branch": "git_branches",
    "folder_parent": "folders.parent_id",
    "get_dashboard_image": "a picture",
    "get_integration_hub_health": "calls the hub; integration_hubs.fetch_error_message",
    "get_model": "lookml_models",
    "get_self_service_model_lookml": "the LookML of an uploaded file, as Looker writes it",
    "git_branch": "git_branches, the one that the key's user has checked out",
    "git_deploy_key": "repository_credentials.ssh_public_key",
    "graph_derived_tables_for_view": "derived_table_edges, of one view",
    "model_fieldname_suggestions": "runs a query in the warehouse for each field",
    "oidc_test_config": "a trial of somebody who is setting up logins",
    "project_file": "project_files",
    "project_workspace": "what the key's user has checked out; git_branches has the rest",
    "query": "queries, and where their bodies come with tiles and looks, without this call",
    "query_for_slug": "queries",
    "query_task": "a query that the caller has started",
    "query_task_multi_results": "a query that the caller has started",
    "query_task_results": "a query that the caller has started",
    "render_task": "a picture that the caller has ordered",
    "render_task_results": "a picture that the caller has ordered",
    "run_look": "settings looks and queries",
    "run_query": "settings looks and queries",
    "run_sql_interface_query": "runs a query in the warehouse",
    "run_url_encoded_query": "settings looks and queries",
    "saml_test_config": "a trial of somebody who is setting up logins",
    "session": "the session of the run itself",
    "sql_interface_metadata": "for drivers of databases: lookml_models and explores hold it",
    "sql_query": "system_activity_sql_queries; no list tells which slugs there are",
    "ssh_public_key": "ssh_servers.public_key",
    "start_pdt_build": "builds a table in the warehouse",
    "stop_pdt_build": "stops a build",
    "test_ssh_server": "tries the connection; ssh_servers.status",
    "test_ssh_tunnel": "tries the connection; ssh_tunnels.status",
    "theme_or_default": "themes, the one of a name that may not exist",
    "user_credentials_email": "users.credentials_email",
    "user_credentials_google": "users.credentials_google",
    "user_credentials_ldap": "users.credentials_ldap",
    "user_credentials_looker_openid": "users.credentials_looker_openid",
    "user_credentials_oidc": "users.credentials_oidc",
    "user_credentials_saml": "users.credentials_saml",
    "user_credentials_totp": "users.credentials_totp",
    "user_for_credential": "users, by the id of a login method",
    "validate_embed_url": "checks an address",
    "vector_thumbnail": "a picture, drawn by running queries",
    "workforce_test_config": "a trial of somebody who is setting up logins",
}

# Paths that are read without standing in the table: in resources/composite.py, as nested lists, and
# in the place of one that an instance lacks.
FALLBACKS = {
    *(path for resource in RESOURCES for path in resource.source.nested_lists.values()),
    *(path for one in RESOURCES if (path := getattr(one.source, "fallback", ""))),
}
BESIDES = {"/folders/{}/looks", "/content_metadata", *FALLBACKS}


def gets(*, of_lists):
    """Every GET of the official client that returns a list, or none: its method and path."""
    return {
        name: one.path
        for name, one in compare_sdk.operations(inspect.getsource(methods)).items()
        if one.verb == "GET" and one.is_list is of_lists
    }


def collections():
    """Every GET that returns a list."""
    return gets(of_lists=True)


def singles():
    """Every GET that returns one thing, unless that is a row of a list, by its id.

    ``/looks/{look_id}`` of ``/looks`` or ``/looks/search``; ``/ssh_server/{id}`` of
    ``/ssh_servers``.
    """
    lists = {pattern(path) for path in collections().values()}

    def is_of_list(path):
        above, _, last = pattern(path).rpartition("/")
        return last == "{}" and any({above, f"{above}/search", f"{above}s"} & lists)

    return {name: path for name, path in gets(of_lists=False).items() if not is_of_list(path)}


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


@pytest.mark.parametrize("method", sorted(singles()))
def test_every_single_object_is_read_or_excluded(method):
    read = pattern(singles()[method]) in READ
    assert read != (method in SINGLES), f"{method}: neither a stream nor in SINGLES, or both"


def test_nothing_is_excluded_that_is_not_there():
    assert EXCLUDED.keys() <= collections().keys()
    assert SINGLES.keys() <= singles().keys()


STREAMS = {one.name for one in (*RESOURCES, *ACTIVITIES)}


@pytest.mark.parametrize("method", sorted({**EXCLUDED, **SINGLES}))
def test_the_stream_that_a_reason_names_has_the_column(method):
    reason = {**EXCLUDED, **SINGLES}[method]
    for name, column in re.findall(r"\b([a-z_]+)\.([a-z_]+)\b", reason):
        assert column in entries()[name]["schema"]["properties"], reason
    for name in re.findall(r"\b(?:system_activity_[a-z_]+|[a-z]+_[a-z_]+)\b", reason):
        known = STREAMS | {
            column for one in entries().values() for column in one["schema"]["properties"]
        }
        assert name in known, reason


def test_no_row_is_newer_than_the_official_client():
    newest = compare_sdk.pinned()
    for resource in RESOURCES:
        if resource.since:
            assert re.fullmatch(r"2\d\.\d+", resource.since), resource.name
            assert not is_older(newest, resource.since), resource.name


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
