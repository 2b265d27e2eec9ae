"""The tuner: looks for settings under which an experiment is hard but not dead.

Nothing is imported here: only tuning itself needs Optuna.
"""
