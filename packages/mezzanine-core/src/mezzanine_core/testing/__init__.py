"""Laws that components have to obey, for the tests of those who write them."""
