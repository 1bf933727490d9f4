"""Progress of each user in each file, with marks and undo."""
