"""Records the contracts of images, for the maintainer to commit."""

from functools import partial

import dagger

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.build.inputs import Build
from pipeline.checks.check import CheckFailure
from pipeline.checks.contract import Contract, page
from pipeline.checks.contract_check import measure
from pipeline.concurrency import concurrently
from pipeline.errors import HoldError
from pipeline.text_files import text_files


async def record_contracts(build: Build) -> dagger.Directory:
    """Build all images, and return their contracts and a page about them, in a directory for each distribution.

    Raises:
        HoldError: a contract cannot be measured.
        dagger.ExecError: an image cannot be built.
    """
    contracts = await concurrently([partial(_measured, image) for image in open_images((), build)])
    files: dict[str, str] = {}
    for distribution in dict.fromkeys(contract.distribution for contract in contracts):
        listed = [contract for contract in contracts if contract.distribution == distribution]
        files |= {f"{distribution}/{contract.image}.json": contract.render() for contract in listed}
        files[f"{distribution}/README.md"] = page(listed)
    return text_files(files)


async def _measured(image: BuiltImage) -> Contract:
    distribution = image.build.base_of(image.image).distribution
    try:
        return await measure(
            image.name, distribution, await image.container.get(), f"{image.name}: record the contract"
        )
    except CheckFailure as failure:
        raise HoldError(f"The contract of {image.name} cannot be measured ({failure}); correct the image.") from failure
