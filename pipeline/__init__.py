"""The base container images of the SKA Observatory: built, checked and described.

module       the functions that Dagger and ska-images call
cli          the same functions without Dagger's command line
app          applications on the images
release      publishing, promoting, verifying, and what is outdated
evidence     statements and reports about images
gates        what every image passes before a release
signing      signatures and attestations
build        one run: its settings, its base, and its images
catalogue    the images, as data
checks       facts that must hold inside an image
steps        the scripts that make images
registry     a client of registries
metadata     an image's labels and its /etc/skao.metadata
statement    statements about images, in in-toto's form
errors       the errors of the pipeline
concurrency  independent work, concurrently and within limits
strict       JSON from outside, read strictly
escape       text from outside, made safe to show
text_files   directories of text files
checksum     the SHA-256 of a file
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.module.main import SkaBaseImages

__all__ = ["SkaBaseImages"]


def __getattr__(name: str) -> Any:
    # Dagger's SDK takes most of a second to import, and the embedded engine's process does not need it.
    if name in __all__:
        from pipeline.module import main

        return getattr(main, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
