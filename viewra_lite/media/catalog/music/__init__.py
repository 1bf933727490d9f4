"""Music: albums, their names, and tracks."""
