"""Where plugins are found, and those that were registered."""
