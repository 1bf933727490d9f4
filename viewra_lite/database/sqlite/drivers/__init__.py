"""The drivers of SQLite, each as a module."""
