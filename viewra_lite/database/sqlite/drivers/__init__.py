"""The SQLite drivers, one module each."""
