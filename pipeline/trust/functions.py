"""The module's functions by which images are trusted; like all of them they hold no logic."""

from pipeline.build import Build


class TrustFunctions:
    """A part of the module's main object."""

    async def _build(self) -> Build:
        """Return the settings and the base of this call."""
        raise NotImplementedError
