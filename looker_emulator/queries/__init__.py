"""Running queries: explores compiled to SQL, on data in DuckDB."""
