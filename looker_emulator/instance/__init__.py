"""What a Looker instance holds, grouped as the tap groups its streams.

`content` is made by people, `access` says who they are and may see what, `lookml` is code,
`platform` what an instance runs on, `preview` what Looker calls beta or alpha. Nothing here knows
of HTTP or of queries that run.
"""

from looker_emulator.instance.instance import SIZES, Instance

__all__ = ["SIZES", "Instance"]
