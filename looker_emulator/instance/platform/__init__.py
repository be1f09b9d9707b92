"""Connections, configuration, integrations."""
