"""A small but complete plugin distribution, for tests of runs."""
