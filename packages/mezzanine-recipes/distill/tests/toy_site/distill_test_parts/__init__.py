"""Small components for the tests, installed like any others."""
