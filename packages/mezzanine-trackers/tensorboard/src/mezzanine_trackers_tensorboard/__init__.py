"""The tracker ``tensorboard``: event files in the run directory, for TensorBoard.

:class:`~mezzanine_trackers_tensorboard.tracker.TensorBoardTracker` is the tracker.
"""
