"""How fast the tap is, what it costs, and beside what: `python -m benchmarks`."""
