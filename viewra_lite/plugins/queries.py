"""The questions of the plugins module: query builders that run nothing."""
