"""Lists of what to watch: continue watching, and next up."""
