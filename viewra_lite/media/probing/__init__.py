"""Probing: streams, tags, name and fingerprint of a file, in worker processes."""
