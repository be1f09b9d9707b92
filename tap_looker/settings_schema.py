"""The settings: their names, types, defaults and descriptions.

``--about``, the documentation, ``meltano.yml`` and ``.env.example`` are made of this.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_looker.looker.auth import WHERE_KEYS_ARE
from tap_looker.looker.retry import MAX_RETRY_TIME
from tap_looker.queries import definitions

DEFAULT_DAYS_BACK = 90  # System Activity keeps its history for 90 days
ANYWAY = ("partial_access", "instance")
CREDENTIALS = {
    "api_host_url": "LOOKERSDK_BASE_URL",
    "client_id": "LOOKERSDK_CLIENT_ID",
    "client_secret": "LOOKERSDK_CLIENT_SECRET",
}

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "api_host_url",
        th.StringType,
        required=True,
        title="API host URL",
        description=(
            "URL of the Looker API, as shown under Admin → Platform → API: "
            "https://company.cloud.looker.com, https://company.looker.com:19999 or your own "
            "domain."
        ),
        examples=["https://company.cloud.looker.com"],
    ),
    th.Property(
        "client_id",
        th.StringType,
        required=True,
        secret=True,
        title="Client ID",
        description=(
            "Client ID of an API key, ideally of a service account that nothing else uses. Where "
            f"keys are: {WHERE_KEYS_ARE}."
        ),
    ),
    th.Property(
        "client_secret",
        th.StringType,
        required=True,
        secret=True,
        title="Client secret",
        description="Client secret of the same API key.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "How far back a first run reads, in System Activity and in looks and queries with "
            "a time as replication_key (ISO 8601, UTC unless it has an offset). Default: "
            f"{DEFAULT_DAYS_BACK} days back in System Activity, as long as Looker keeps it; "
            "otherwise everything."
        ),
        examples=["2026-01-01T00:00:00Z"],
    ),
    th.Property(
        "concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrency",
        description="Maximum number of parallel requests, 1 to 64.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=10_000),
        default=500,
        title="Page size",
        description="Rows per page of lists that Looker paginates.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(minimum=1, maximum=7200),
        default=300,
        title="Request timeout",
        description="Seconds to wait for an answer from Looker, and for each further part of it.",
    ),
    th.Property(
        "max_retry_time",
        th.NumberType(minimum=0, maximum=86_400),
        default=int(MAX_RETRY_TIME),
        title="Longest time to retry",
        description=(
            "Seconds to keep retrying while Looker turns requests away (HTTP 429, 503), times out "
            "or drops the connection. While other requests succeed, 429 and 503 are retried as "
            "long as they last."
        ),
    ),
    th.Property(
        "select",
        th.CustomType({"type": ["string", "array", "null"], "items": {"type": "string"}}),
        title="Selection",
        description=(
            "Streams to read when there is no catalog: names and patterns, separated by commas or "
            "as a list. * matches any text, a leading ! excludes, and default is the default "
            "selection, such as users,dash* or default,explores or !alerts. Also the option "
            "--select."
        ),
        examples=["users,group*,!group_users"],
    ),
    th.Property(
        "include_deleted",
        th.BooleanType,
        default=True,
        title="Include deleted",
        description="Also read looks, dashboards and tiles in the trash (marked as deleted).",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Let targets delete what no longer exists in Looker, after each stream that was read "
            "completely. See docs/warehouses.md."
        ),
    ),
    th.Property(
        "activate_version_anyway",
        th.ArrayType(th.CustomType({"type": "string", "enum": [*ANYWAY]})),
        default=[],
        title="Activate version anyway",
        description=(
            "Also delete where this is withheld as a precaution: partial_access (the API key's "
            "user may not see everything) or instance (other instances may share the tables)."
        ),
        examples=[["partial_access"]],
    ),
    th.Property(
        "instance",
        th.StringType,
        title="Instance",
        description=(
            "Name of this Looker instance, if several share a warehouse: every record gets it in "
            "a column looker_instance, which is part of every key."
        ),
        examples=["production"],
    ),
    th.Property(
        "on_denied",
        th.StringType,
        default="fail",
        allowed_values=["fail", "skip"],
        title="On denied",
        description=(
            "What happens to a stream that the API key may not read or this Looker does not have: "
            "fail (the run ends with an error, after the other streams) or skip (a warning)."
        ),
    ),
    th.Property(
        "on_misfit",
        th.StringType,
        default="warn",
        allowed_values=["warn", "fail"],
        title="On misfit",
        description=(
            "What to do with a value that does not fit its column's type: warn (it becomes null, "
            "with a warning per column) or fail (the stream fails). In a key or a bookmark it is "
            "always an error."
        ),
    ),
    th.Property(
        "folder_ids",
        th.ArrayType(th.CustomType({"type": ["string", "integer"]})),
        default=[],
        title="Folders",
        description=(
            "Read only these folders and their subfolders, with their looks, dashboards, tiles and "
            "queries. Default: all."
        ),
        examples=[["12", "34"]],
    ),
    th.Property(
        "models",
        th.ArrayType(th.StringType),
        default=[],
        title="Models",
        description=(
            "Read only these LookML models, with their explores, fields and LookML dashboards. "
            "Default: all."
        ),
        examples=[["thelook"]],
    ),
    th.Property(
        "exclude_models",
        th.ArrayType(th.StringType),
        default=[],
        title="Excluded models",
        description=(
            "Leave out these LookML models, with their explores, fields and LookML dashboards: "
            "names, or patterns with * and ?. Default: none."
        ),
        examples=[["scratch_*"]],
    ),
    th.Property(
        "exclude_explores",
        th.ArrayType(th.StringType),
        default=[],
        title="Excluded explores",
        description=(
            "Leave out these explores, with their fields: model::explore, or patterns of it with * "
            "and ?. Default: none."
        ),
        examples=[["thelook::heavy_*"]],
    ),
    th.Property(
        "looks",
        th.ArrayType(th.CustomType(definitions.schema("looks"))),
        default=[],
        title="Looks",
        description=(
            "Looks whose rows become streams: ids, or objects with an id and options. "
            "See docs/results.md."
        ),
        examples=[[42, {"id": 17, "name": "weekly_revenue", "primary_keys": ["orders.id"]}]],
    ),
    th.Property(
        "queries",
        th.ArrayType(th.CustomType(definitions.schema("queries"))),
        default=[],
        title="Queries",
        description=(
            "Queries whose rows become streams: objects with a name and either query (the slug of "
            "a saved one) or model, explore, fields and more. See docs/results.md."
        ),
        examples=[[{"name": "top_customers", "query": "aogBgL6o3cKK1jN3RoZl5s"}]],
    ),
    th.Property(
        "system_activity",
        th.ArrayType(th.CustomType(definitions.schema("system_activity"))),
        default=[],
        title="System Activity",
        description=(
            "Explores of System Activity with fields of your choice: objects with explore, fields "
            "and options. See docs/usage.md."
        ),
        examples=[[{"explore": "user", "fields": ["user.id", "user.name"]}]],
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description=(
            "Read only rows before this time, in the same streams as start_date, to split a "
            "back-fill. Default: no end."
        ),
        examples=["2026-02-01T00:00:00Z"],
    ),
    th.Property(
        "activity_lookback",
        th.IntegerType(minimum=0),
        default=5000,
        title="Activity look-back",
        description=(
            "How many ids before its bookmark a System Activity stream reads again, to update rows "
            "that were unfinished at the time."
        ),
    ),
    th.Property(
        "activity_page_size",
        th.IntegerType(minimum=2, maximum=1_000_000),
        default=50_000,
        title="Activity page size",
        description="Rows per query, in System Activity and in looks and queries read in pages.",
    ),
    th.Property(
        "max_calls",
        th.IntegerType(minimum=1),
        title="Maximum calls",
        description=(
            "Maximum number of API calls per run, not counting logins: the run stops with an error "
            "at this limit; records and state written so far are kept. Default: no limit."
        ),
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header to send to Looker. Default: tap-looker and its version.",
    ),
    th.Property(
        "http_headers",
        th.ObjectType(additional_properties=th.StringType),
        default={},
        secret=True,
        title="HTTP headers",
        description=(
            "Additional headers to send with every request, for a proxy in front of Looker that "
            "wants them. Not Authorization, which holds Looker's own token."
        ),
        examples=[{"Proxy-Authorization": "Bearer …"}],
    ),
    th.Property(
        "client_cert",
        th.StringType,
        title="Client certificate",
        description="PEM file of a client certificate, if the server or a proxy asks for one.",
        examples=["/etc/ssl/certs/tap.pem"],
    ),
    th.Property(
        "client_cert_key",
        th.StringType,
        title="Key of the client certificate",
        description="PEM file of its private key, not encrypted. Default: it is in client_cert.",
        examples=["/etc/ssl/private/tap.key"],
    ),
    th.Property(
        "ca_bundle",
        th.StringType,
        title="CA bundle",
        description=(
            "File or folder of CA certificates, if Looker's certificate is not publicly trusted."
        ),
        examples=["/etc/ssl/certs/company-ca.pem"],
    ),
).to_dict()
