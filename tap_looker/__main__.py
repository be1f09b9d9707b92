"""The command: ``tap-looker``, or ``python -m tap_looker``."""

from __future__ import annotations

import gc

from tap_looker.tap import TapLooker

MOST_UNCOLLECTED = 50_000  # objects


def main() -> None:
    """Run the command.

    Rows of JSON hold no cycles, and are many: Python's garbage collector would spend a third of a
    run looking for what to collect in them, and in the modules, which stay.
    """
    gc.freeze()
    gc.set_threshold(MOST_UNCOLLECTED, 20, 20)
    TapLooker.cli()


if __name__ == "__main__":
    main()
