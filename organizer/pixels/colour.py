"""Colour profiles -> sRGB, the colours that networks were trained on and that browsers show."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's modes by the colour space of a profile."""

_MOST_KEPT = 64
"""Profiles of which the transform is kept; a library has a handful."""


class ColourProfiles:
    """Converts pictures to sRGB by the profiles embedded in their files.

    To make a transform takes 2 ms, so those of the profiles that came are kept. Threads may share
    one.
    """

    def __init__(self) -> None:
        self._transforms: dict[bytes, tuple[str, ImageCms.ImageCmsTransform] | None] = {}

    def changes(self, profile: object) -> bool:
        """Whether a picture with such a profile has to be converted.

        It has not where the profile is one of sRGB, or none, or is damaged: a picture in slightly
        wrong colours is better than none.
        """
        return self._transform(profile) is not None

    def to_srgb(self, image: Image.Image, profile: object) -> Image.Image:
        """A picture in sRGB.

        Args:
            image: Of mode "CMYK", or "RGB" for a profile of colours or of grey.
            profile: What is embedded in its file.

        Returns:
            The picture itself where there is nothing to convert.
        """
        found = self._transform(profile)
        if found is None:
            return image
        mode, transform = found
        if (mode == "CMYK") != (image.mode == "CMYK"):
            return image  # the profile is another picture's
        try:
            return ImageCms.applyTransform(image.convert(mode), transform) or image
        except (ImageCms.PyCMSError, ValueError):
            return image

    def _transform(self, profile: object) -> tuple[str, ImageCms.ImageCmsTransform] | None:
        if not isinstance(profile, bytes) or not profile:
            return None
        if profile not in self._transforms:
            if len(self._transforms) >= _MOST_KEPT:
                self._transforms.clear()
            self._transforms[profile] = _made(profile)
        return self._transforms[profile]


def _made(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(opened).lower():
            return None
        mode = _MODES[opened.profile.xcolor_space]
        srgb = ImageCms.createProfile("sRGB")
        return mode, ImageCms.buildTransform(opened, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError):
        return None
