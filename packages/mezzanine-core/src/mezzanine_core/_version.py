"""The version of the core, and of every first-party distribution with it."""

__version__ = "0.1.0"
