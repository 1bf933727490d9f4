"""Search by words, and finding titles and files that another program names."""
