"""The health of an SQLite database, and its catalogue."""
