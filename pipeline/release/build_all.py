"""All images as archives, after their checks."""

from functools import partial

import dagger
from dagger import dag

from pipeline.build.assembly import open_images
from pipeline.build.build_report import build_report, file_name
from pipeline.concurrency import both, concurrently
from pipeline.gates import CHECKS
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import look_at, prepare_all, require_passed

REPORT = "build-report.json"


async def build_all(inputs: GateInputs) -> dagger.Directory:
    """Build and check all images.

    Args:
        inputs: the settings of the build, and the inputs of the checks.

    Returns:
        A directory with an OCI archive of each image, NAME.tar, and build-report.json.

    Raises:
        GateError: an image does not pass its checks.
        dagger.ExecError: an image cannot be built.
    """
    images = open_images((), inputs.build)
    looks = await prepare_all([CHECKS], inputs)
    # Packing a large layer takes longest, so it begins first.
    archives, results = await both(
        partial(concurrently, [image.archive.get for image in images]), partial(look_at, looks, images)
    )
    require_passed(results)
    directory, entries = dag.directory(), []
    for image, archive in zip(images, archives, strict=True):
        # At once, because a chain of hundreds of calls is nested too deeply for a request.
        directory = await directory.with_file(file_name(image.image), await image.tarball()).sync()
        entries.append((image.image, archive, [await check.get() for check in image.checks.values()]))
    return directory.with_new_file(REPORT, build_report(inputs.build, entries))
