"""What a Looker instance holds, grouped as the tap groups its streams.

`content` has folders, looks and dashboards, `access` users and their permissions, `lookml` models
and projects, `platform` connections and configuration, `preview` what is beta or alpha. Nothing
here knows about HTTP or about running queries.
"""

from looker_emulator.instance.instance import SIZES, Instance

__all__ = ["SIZES", "Instance"]
