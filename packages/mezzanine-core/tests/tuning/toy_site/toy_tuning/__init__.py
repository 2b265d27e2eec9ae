"""A recipe whose figures are known functions of its settings, for tests of tuning."""
