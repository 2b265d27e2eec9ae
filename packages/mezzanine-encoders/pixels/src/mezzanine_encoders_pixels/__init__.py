"""The pixel encoder: a baseline that needs no weights, no download and no GPU.

:class:`~mezzanine_encoders_pixels.config.PixelsConfig` holds its settings,
:class:`~mezzanine_encoders_pixels.encoder.PixelsEncoder` is the encoder.
"""
