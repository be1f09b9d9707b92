"""System Activity: Looker's record of its use."""
