"""Finding by words, and by what another program calls it."""
