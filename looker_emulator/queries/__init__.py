"""Queries that run."""
