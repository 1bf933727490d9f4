"""What the tests of plugins need: fixtures for pytest (plugin.py), and small media files."""
