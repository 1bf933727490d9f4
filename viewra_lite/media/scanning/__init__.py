"""What is on disk, and what has become of what was."""
