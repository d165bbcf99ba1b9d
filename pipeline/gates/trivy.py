"""Runs Trivy on an image's archive in a container of its own; the scan and the SBOMs share this step.

Source: https://trivy.dev/docs/latest/guide/references/configuration/cli/trivy_image/
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagger

from pipeline.build.inputs import Build
from pipeline.errors import HoldError
from pipeline.gates.tools import Toolbox, UsedTool, last_words

#: Where the program is mounted.
TRIVY = "/mnt/tools/trivy"
#: Trivy's cache, thrown away with the container; a vulnerability database is mounted at its db/.
CACHE = "/mnt/trivy"
_ARCHIVE = "/mnt/image.tar"
_FOUND = "/tmp/found"  # noqa: S108  in Trivy's container, and thrown away with it
_OFFLINE = (
    *("--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-check-update", "--skip-vex-repo-update"),
    *("--skip-version-check", "--disable-telemetry"),
)
#: A proxy that does not exist: anything that Trivy would still fetch in spite of its options fails.
_NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
# Trivy reads an OCI layout, but not a tarball of one. The first format analyses the layers; the others use the cache.
_SCRIPT = """
trivy=$1 archive=$2 cache=$3 found=$4 formats=$5
shift 5
layout=$(mktemp -d)
mkdir -p "$found" "$cache"
tar -xf "$archive" -C "$layout"
for format in $formats; do
    "$trivy" image --quiet --cache-dir "$cache" --input "$layout" --format "$format" --output "$found/$format" "$@"
done
rm -rf "$layout" "$cache/fanal"
"""


@dataclass(frozen=True)
class Trivy:
    """Trivy in a container of the base.

    Args:
        container: the container, with Trivy mounted at TRIVY.
        tool: the mounted Trivy.
    """

    container: dagger.Container
    tool: UsedTool


async def open_trivy(build: Build) -> Trivy:
    """Return Trivy in a container of the base.

    Raises:
        ToolError: Trivy is missing, or its digest is wrong.
    """
    mount, tool = await Toolbox.of(build).mount("trivy", TRIVY)
    return Trivy(build.workbench.container.with_(mount), tool)


async def trivy_image(
    container: dagger.Container, archive: dagger.File, step: str, formats: Sequence[str], *options: str
) -> list[str]:
    """Run Trivy on the layers of an image; nothing of the image is run, and nothing is fetched.

    Args:
        container: a container of the base with Trivy mounted at TRIVY, and with the files that the options name.
        archive: the image's OCI archive.
        step: the step's name in progress and errors.
        formats: the formats of the results, as Trivy names them: json, cyclonedx, spdx-json …
        options: further options of `trivy image`.

    Returns:
        Trivy's output in each format.

    Raises:
        HoldError: Trivy cannot read the image.
    """
    for name in _PROXIES:
        container = container.with_env_variable(name, _NOWHERE)
    arguments = [TRIVY, _ARCHIVE, CACHE, _FOUND, " ".join(formats), *_OFFLINE, *options]
    done = (
        container.with_mounted_file(_ARCHIVE, archive)
        .with_user("root")
        .with_exec(["sh", "-euc", _SCRIPT, step, *arguments])
    )
    try:
        found = await done.directory(_FOUND).sync()
    except dagger.QueryError as error:
        raise HoldError(f"Trivy cannot read the image ({last_words(error)}).") from error
    return [await found.file(name).contents() for name in formats]
