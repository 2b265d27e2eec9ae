"""A small plugin distribution, for tests of trackers."""
