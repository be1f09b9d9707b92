"""Folders, looks, dashboards, and what people do with them."""
