"""The backend of PostgreSQL."""
