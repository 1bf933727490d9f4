"""What a plugin may not do: write elsewhere, take too long, or take too much space."""
