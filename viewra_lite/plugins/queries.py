"""The questions of the plugins room: query builders that run nothing."""
