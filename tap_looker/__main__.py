"""The command: ``tap-looker``, or ``python -m tap_looker``."""

from __future__ import annotations

import gc
from contextlib import suppress

from tap_looker.tap import TapLooker

MAX_UNCOLLECTED = 50_000  # objects
M_ARENA_MAX = -8  # of malloc.h


def main() -> None:
    """Run the command, with this process to itself."""
    _spare_time()
    _spare_memory()
    TapLooker.cli()


def _spare_time() -> None:
    """Rows of JSON hold no cycles, and are many.

    Python's garbage collector would spend a third of a run looking for what to collect in them, and
    in the modules, which stay.
    """
    gc.freeze()
    gc.set_threshold(MAX_UNCOLLECTED, 20, 20)


def _spare_memory() -> None:
    """One heap for all threads: the C library of Linux would let each keep what it has freed."""
    with suppress(ImportError, AttributeError, OSError, TypeError):  # it is another C library
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


if __name__ == "__main__":
    main()
