"""What a file's name says that it is."""
