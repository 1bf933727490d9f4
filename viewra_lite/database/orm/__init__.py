"""Peewee, and what we put between it and the modules."""
