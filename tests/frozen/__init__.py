"""A program that embeds the store, frozen into one file."""
