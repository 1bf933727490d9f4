"""Maintenance: statistics and problems of a store."""
