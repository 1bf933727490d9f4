"""Movies, shows and music, as the files make them and as callers write them."""
