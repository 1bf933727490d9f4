"""The identity of files: ids and works that survive moves, replacements and removals."""
