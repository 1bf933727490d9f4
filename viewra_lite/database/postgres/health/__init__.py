"""The health of a PostgreSQL database, and its catalogue."""
