"""What real targets make of the tap's output: `python -m targets`."""
