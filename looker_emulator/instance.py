"""What a Looker instance holds: one plain list of rows for each kind of thing.

The content is made of numbers alone, so that it is the same in every process. Rows refer to
rows: the query of a tile is the very dict that stands in `Instance.queries`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from looker_emulator.content import add_content
from looker_emulator.lookml import Queries, add_models
from looker_emulator.people import add_people
from looker_emulator.store_content import add_store
from looker_emulator.tail import LongTail
from looker_emulator.values import HOST

if TYPE_CHECKING:
    from looker_emulator.values import Row


@dataclass(frozen=True)
class Size:
    """How many of each an instance holds; tiles come to about six on a dashboard."""

    users: int
    groups: int
    roles: int
    folders: int
    looks: int
    dashboards: int
    lookml_dashboards: int
    models: int
    explores: int

    def times(self, factor: float) -> Size:
        """The same instance, grown or shrunk."""
        return Size(*(max(round(count * factor), 3) for count in astuple(self)))


SIZES = {
    "small": Size(25, 8, 5, 12, 25, 20, 4, 3, 12),
    "medium": Size(200, 20, 9, 40, 200, 300, 12, 6, 100),
    "large": Size(2000, 60, 15, 200, 2000, 3000, 60, 25, 1000),
}


class Instance(LongTail):
    """A whole instance. Rows carry every property; what an endpoint hides is the endpoint's affair.

    `looks` have their query, `groups` their hierarchy and roles, `folders` what is in them,
    `dashboards` their tiles. LookML dashboards and their tiles are apart, as in Looker's database.
    """

    def __init__(self, scale: str | float = "small") -> None:
        size = SIZES[scale] if isinstance(scale, str) else SIZES["small"].times(scale)
        self.lookml_models: list[Row] = []
        self.permission_sets: list[Row] = []
        self.model_sets: list[Row] = []
        self.roles: list[Row] = []
        self.groups: list[Row] = []
        self.users: list[Row] = []
        self.folders: list[Row] = []
        self.looks: list[Row] = []
        self.dashboards: list[Row] = []
        self.dashboard_elements: list[Row] = []
        self.lookml_dashboards: list[Row] = []
        self.merge_queries: list[Row] = []
        #: Ids of tiles that were taken off a dashboard: a tile has no property that says so.
        self.removed_elements: set[str] = set()
        add_models(self, size.models, size.explores)
        add_people(self, size)
        queries = Queries(self)
        self.queries = queries.rows
        add_content(self, size, queries)
        add_store(self)
        self.versions: list[Row] = [_VERSIONS]
        self.session: list[Row] = [
            {
                "can": {"view": True, "update": True},
                "workspace_id": "production",
                "sudo_user_id": None,
            }
        ]

    @property
    def me(self) -> list[Row]:
        """The user the API key belongs to."""
        return self.users[:1]

    @property
    def all_dashboards(self) -> list[Row]:
        """User-defined and LookML dashboards."""
        return self.dashboards + self.lookml_dashboards

    def trash(self, collection: str) -> set[str]:
        """Ids of the rows that only `deleted=true` shows."""
        if collection != "dashboard_elements":
            return {row["id"] for row in getattr(self, collection) if row.get("deleted")}
        trashed = self.trash("dashboards")
        return self.removed_elements | {
            tile["id"] for tile in self.dashboard_elements if tile["dashboard_id"] in trashed
        }


_VERSIONS: Row = {
    "looker_release_version": "26.12.14",
    "current_version": {
        "version": "4.0",
        "full_version": "4.0.26.12",
        "status": "current",
        "swagger_url": f"{HOST}/api/4.0/swagger.json",
    },
    "supported_versions": [
        {
            "version": "4.0",
            "full_version": "4.0.26.12",
            "status": "current",
            "swagger_url": f"{HOST}/api/4.0/swagger.json",
        }
    ],
    "api_server_url": HOST,
    "web_server_url": "https://greenhouse.looker.example",
}
