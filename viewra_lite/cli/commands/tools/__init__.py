"""Commands for the one who sets a store up."""
