"""Runs: their directories, what they are, what they leave behind, and running them.

Nothing is imported here: looking at earlier runs must not load what running one needs.
"""
