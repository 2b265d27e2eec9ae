"""Hugging Face data sets as Mezzanine worlds: classification, and questions about passages.

:mod:`~mezzanine_worlds_hf.config` holds the settings, :mod:`~mezzanine_worlds_hf.classification`
and :mod:`~mezzanine_worlds_hf.questions` the worlds; both are found through the entry point in
:mod:`~mezzanine_worlds_hf.plugin`. Nothing is imported here, because listing the installed
components imports this package.
"""
