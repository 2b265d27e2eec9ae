"""Frozen encoders from Hugging Face transformers: vision, CLIP, language, causal LMs.

:mod:`~mezzanine_encoders_hf.config` holds their settings; the encoders are
:class:`~mezzanine_encoders_hf.vision.HFVision`, :class:`~mezzanine_encoders_hf.clip.HFClip`,
:class:`~mezzanine_encoders_hf.language.HFLanguage` and
:class:`~mezzanine_encoders_hf.causal.HFCausalLM`.
"""
