"""What this distribution announces to Mezzanine."""

from mezzanine_core import Spec, hookimpl


@hookimpl
def mezz_encoders() -> list[Spec]:
    """The pixel baseline."""
    return [
        Spec(
            kind="encoder",
            name="pixels",
            summary="Area-averaged pixels, centred and normalised: the download-free baseline",
            config="mezzanine_encoders_pixels.config:PixelsConfig",
            factory="mezzanine_encoders_pixels.encoder:PixelsEncoder",
            tags=("image", "baseline", "offline"),
        )
    ]
