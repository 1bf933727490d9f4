"""What the tests share: one file for each thing, imported as tests.support.<file>."""
