"""The tracker ``wandb``: runs in Weights & Biases, online or offline.

:class:`~mezzanine_trackers_wandb.config.WandbConfig` holds its settings,
:class:`~mezzanine_trackers_wandb.tracker.WandbTracker` is the tracker.
"""
