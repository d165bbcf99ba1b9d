"""The Python programs of the build images are those of the lock, byte by byte."""

import re
from dataclasses import replace

import dagger
import pytest

from pipeline.build.chain import chain, lists_of_line
from pipeline.build.inputs import Build
from pipeline.steps.install import build_tools
from pipeline.steps.step import EPOCH
from tests.built_images import OF_ONE_LINE

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("package", "reason"),
    [("uv", "THESE PACKAGES DO NOT MATCH THE HASHES"), ("tomlkit", "Hash mismatch for `tomlkit==")],
    ids=["pip verifies uv", "uv verifies a dependency of Poetry"],
)
async def test_a_package_of_another_hash_is_refused(build: Build, package: str, reason: str) -> None:
    install = build_tools()
    ((path, lock),) = install.files.items()
    (entry,) = re.findall(rf"^{package}==(?:.*\\\n)+.*\n", lock, re.MULTILINE)
    changed = replace(install, files={path: lock.replace(entry, re.sub("sha256:....", "sha256:0000", entry))})
    parent = chain("ska-base", build).with_env_variable(EPOCH, build.settings.epoch)
    with pytest.raises(dagger.ExecError) as raised:
        await changed.on(parent, "ska-build", lists_of_line(OF_ONE_LINE["ska-build"], build)).sync()
    assert reason in raised.value.stderr
