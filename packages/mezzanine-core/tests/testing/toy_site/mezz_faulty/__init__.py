"""Components that are sound, but for the fault that their settings name; for tests."""
