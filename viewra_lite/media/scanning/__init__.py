"""Scanning: walk, probe and reconcile a library with its folder."""
