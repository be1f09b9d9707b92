"""A Looker instance in one process, for the demo, the tests and the benchmarks.

It answers like API 4.0, always with the same content, and misbehaves on demand. It shares no code
with the tap: a mistake made in both would pass every test.

- `http` is the API: routes, listing, faults. Start with `http/routes.py`.
- `queries` runs queries on System Activity and on the demo store.
- `instance` holds the content: users, dashboards, models, connections.
- `options` lists the ways in which Looker instances differ.

Imports point down this list, from `emulator` to `http` to `queries` to `instance`, and never back.
"""

from looker_emulator.emulator import Emulator
from looker_emulator.http.faults import Fault
from looker_emulator.http.request import Call

__all__ = ["Call", "Emulator", "Fault"]
