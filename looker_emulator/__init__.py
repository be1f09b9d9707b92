"""A Looker instance in a process: for the demo, the tests and the benchmarks.

It answers as API 4.0 does, from content that is the same every time, and misbehaves on demand.
It shares no code with the tap: a mistake that both made would pass every test.
"""

from looker_emulator.emulator import Emulator
from looker_emulator.http.faults import Fault
from looker_emulator.http.request import Call

__all__ = ["Call", "Emulator", "Fault"]
