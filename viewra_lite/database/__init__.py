"""The plumbing: knows engines, knows no table of ours."""
