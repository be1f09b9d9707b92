"""The API over HTTP: its routes, what they answer, and what goes wrong on the way."""
