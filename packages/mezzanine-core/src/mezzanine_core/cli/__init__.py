"""The command line ``mezz``: parse, call, print."""

from mezzanine_core.cli.app import main

__all__ = ["main"]
