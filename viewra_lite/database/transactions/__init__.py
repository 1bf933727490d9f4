"""Connections, locks, and the transactions of threads."""
