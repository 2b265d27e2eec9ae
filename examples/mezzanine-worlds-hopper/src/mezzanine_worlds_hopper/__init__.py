"""A one-legged robot that hops, as a Mezzanine world.

Nothing is imported here: every ``mezz`` command imports this package to learn what it announces.
"""
