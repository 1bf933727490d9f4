"""Worker processes that probe files: how they are started, what they run, and their pool."""
