"""The metadata layer of an image: its labels and /etc/skao.metadata."""

from collections.abc import Mapping
from pathlib import PurePath

import dagger

from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.checks.contract import PATH as CONTRACT_PATH
from pipeline.checks.contract import recorded
from pipeline.metadata import END_OF_LIFE, PATH, PYTHON_LABEL, Metadata
from pipeline.steps.step import Step
from pipeline.text_files import text_files

#: https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
OCI = "org.opencontainers.image."
#: Labels that are also annotations of the manifest, where Renovate and crane look.
ANNOTATED = (OCI + "base.digest", OCI + "base.name", OCI + "created")
_OCI_KEYS = (
    *("authors", "base.digest", "base.name", "created", "description", "documentation", "licenses", "ref.name"),
    *("revision", "source", "title", "url", "vendor", "version"),
)


def metadata_of(image: Image, build: Build) -> Metadata:
    """Return the metadata of an image.

    Raises:
        MetadataError: a value holds a line break or another control character.
    """
    settings = build.settings
    return Metadata(
        created=settings.created,
        version=settings.version,
        tags=",".join((settings.version, *build.extra_tags)),
        team=settings.team,
        url=settings.url,
        source=settings.source,
        baseImage=_parent_reference(image, build),
    )


def labels_of(image: Image, build: Build) -> dict[str, str]:
    """Return all labels of an image: SKAO's seven, its end of life, its Python, OCI's, and those that the user adds.

    Raises:
        MetadataError: a value holds a line break or another control character.
    """
    settings = build.settings
    oci = {
        "created": settings.created,
        "version": settings.version,
        "revision": settings.revision,
        "source": settings.source,
        "url": settings.url,
        "documentation": settings.documentation,
        "title": image.title,
        "description": image.description,
        "vendor": settings.vendor,
        "licenses": settings.licenses,
        "base.name": _parent_reference(image, build).partition("@")[0],
        "base.digest": build.base_of(image).digest if image.parent is None else "",
    }
    known = {OCI + key: value for key, value in oci.items() if value}
    own = {END_OF_LIFE: image.line.end_of_life.isoformat()}
    if image.install.brings_python:
        own[PYTHON_LABEL] = build.base_of(image).distribution.python
    return {**known, **settings.labels, **metadata_of(image, build).labels(), **own}


def write_metadata(image: Image, build: Build) -> Step:
    """Make the step that writes the labels, the annotations, the contract and /etc/skao.metadata.

    Raises:
        CatalogueError: the committed contract is damaged, or that of another image.
        MetadataError: a value holds a line break or another control character.
    """
    labels, contract = labels_of(image, build), recorded(image.name, build.base_of(image).distribution)
    texts = {PurePath(PATH).name: metadata_of(image, build).render()}
    if contract:
        texts[PurePath(CONTRACT_PATH).name] = contract.render()
    files = text_files(texts)
    # Both in one layer.
    return lambda container: container.with_(with_labels(labels)).with_directory("/etc", files)


def with_labels(labels: Mapping[str, str]) -> Step:
    """Make the step that sets labels, and the annotations that repeat some of them.

    Labels and annotations that describe what an image stands on are removed, since they would be wrong for the image.
    """
    inherited = [OCI + key for key in _OCI_KEYS if OCI + key not in labels]

    def step(container: dagger.Container) -> dagger.Container:
        for name in inherited:
            container = container.without_label(name)
        for name, value in labels.items():
            container = container.with_label(name, value)
        for name in ANNOTATED:
            container = container.without_annotation(name)
            if name in labels:
                container = container.with_annotation(name, labels[name])
        return container

    return step


def _parent_reference(image: Image, build: Build) -> str:
    return build.base_of(image).reference if image.parent is None else build.reference(image.parent)
