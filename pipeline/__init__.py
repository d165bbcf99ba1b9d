"""The base container images of the SKA Observatory: built, checked and described.

The images are ska-base, ska-build, ska-build-python and ska-python; `images` says what each is for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.module.main import SkaBaseImages

__all__ = ["SkaBaseImages"]


def __getattr__(name: str) -> Any:
    # Dagger's SDK takes most of a second to import, and the embedded engine's process needs none of it.
    if name in __all__:
        from pipeline.module import main

        return getattr(main, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
