"""Models, explores and projects."""
