"""The command: ``tap-looker-report``, or ``python -m tap_looker_report``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

LIBRARIES = ("dbt.cli", "dbt.adapters.duckdb", "dbt.adapters.postgres", "duckdb", "jinja2")
TOO_NEW = (3, 14)
MISSING = (
    "tap-looker-report needs more libraries than the tap: pip install 'lookout-tap-looker[report]' "
    "(in a checkout: pip install '.[report]')."
)


def main() -> None:
    """Run the command, if what it needs is installed."""
    if not all(map(_is_installed, LIBRARIES)):
        also = ""
        if sys.version_info >= TOO_NEW:
            also = (
                f" Use a Python older than {'.'.join(map(str, TOO_NEW))}: dbt-core 1.11 needs it."
            )
        sys.exit(MISSING + also)
    from tap_looker_report.command import report  # noqa: PLC0415

    report(prog_name="tap-looker-report")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


if __name__ == "__main__":
    main()
