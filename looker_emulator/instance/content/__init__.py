"""Folders, looks, dashboards, and what refers to them."""
