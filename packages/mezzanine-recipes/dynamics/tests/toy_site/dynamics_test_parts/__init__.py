"""Small worlds and encoders for the tests of the recipe, installed like any plugin."""
