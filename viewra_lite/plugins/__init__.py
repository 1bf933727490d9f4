"""The plugins module: registered plugins and their metadata."""
