"""singer-io's tap-looker."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import urlsplit

from benchmarks.measure import variables
from benchmarks.peers.base import Job, Peer, Place, singer_records

PATHS = {
    "groups_in_group": "/groups/1/groups",
    "scheduled_plans": "/scheduled_plans/lookml_dashboard/1",
    "user_login_lockouts": "/user_login_lockouts",
}
"""Streams that read what an emulator may lack; one answer of 404 ends the whole run."""
GONE = ("query_history",)
"""It asks for the model ``i__looker``, which API 4.0 no longer has."""

OURS = {
    "color_collections": ("color_collections",),
    "connections": ("connections",),
    "content_favorites": ("content_favorites",),
    "content_metadata": ("content_metadata",),
    "content_metadata_access": ("content_metadata_access",),
    "content_views": ("content_views",),
    "dashboard_elements": ("dashboard_elements",),
    "dashboard_filters": ("dashboard_filters",),
    "dashboard_layouts": ("dashboard_layouts",),
    "dashboards": ("dashboards",),
    "datagroups": ("datagroups",),
    "explores": ("explores", "explore_fields"),
    "folders": ("folders",),
    "git_branches": ("git_branches",),
    "groups": ("groups",),
    "groups_in_group": ("groups",),
    "integration_hubs": ("integration_hubs",),
    "integrations": ("integrations",),
    "lookml_dashboards": ("lookml_dashboards",),
    "lookml_models": ("lookml_models",),
    "looks": ("looks",),
    "merge_queries": ("merge_queries",),
    "model_sets": ("model_sets",),
    "models": ("lookml_models",),
    "permission_sets": ("permission_sets",),
    "permissions": ("permissions",),
    "project_files": ("project_files",),
    "projects": ("projects",),
    "queries": ("queries",),
    "role_groups": ("role_groups",),
    "roles": ("roles",),
    "scheduled_plans": ("scheduled_plans",),
    "themes": ("themes",),
    "user_attribute_group_values": ("user_attribute_group_values",),
    "user_attribute_values": ("user_attribute_values",),
    "user_attributes": ("user_attributes",),
    "user_login_lockouts": ("user_login_lockouts",),
    "user_sessions": ("user_sessions",),
    "users": ("users",),
    "versions": ("versions",),
    "workspaces": ("workspaces",),
}
"""Its streams but `GONE`, and those of ours that hold the same."""


def _prepare(place: Place) -> Job:
    instance = place.instance
    address = urlsplit(instance.front)
    # It joins subdomain, domain and port with dots: an address of four numbers will do.
    subdomain, _, domain = str(address.hostname).partition(".")
    config = place.write(
        "config.json",
        {
            "subdomain": subdomain,
            "domain": domain,
            "api_port": str(address.port),
            "client_id": instance.client_id,
            "client_secret": instance.client_secret,
            "start_date": "2020-01-01T00:00:00Z",
            "user_agent": "benchmark",
        },
    )
    program = place.bin / "tap-looker"
    trust = {"REQUESTS_CA_BUNDLE": str(instance.ca)}
    found = subprocess.run(
        [program, "--config", config, "--discover"],
        env=variables(trust),
        capture_output=True,
        check=True,
    )
    catalog = json.loads(found.stdout)
    lacking = place.lacking(PATHS)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["stream"] not in (*GONE, *lacking)
    notes = [f"all streams but {', '.join(GONE)}, whose model API 4.0 does not have"]
    if lacking:
        notes.append(f"and without {', '.join(lacking)}, whose endpoints the emulator lacks")
    notes.append("it takes every dashboard with an id of API 4.0 for one of LookML, and reads no"
                 " tiles")  # fmt: skip
    return Job(
        [program, "--config", config, "--catalog", place.write("catalog.json", catalog)],
        singer_records,
        trust,
        tuple(notes),
    )


SINGER_IO = Peer(
    "singer-io", "singer-io tap-looker 0.1.0", "tap-looker==0.1.0", _prepare, (8, 9, 10, 11, 12),
    https=True,
)  # fmt: skip
