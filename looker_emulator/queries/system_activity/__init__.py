"""System Activity."""
