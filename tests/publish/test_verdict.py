"""A result with an exit code comes whole or not at all."""

import dagger
import pytest

from pipeline.build.inputs import Build
from pipeline.errors import ReleaseError
from pipeline.release.verdict import KEPT, is_verdict, verdict

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_longest_result_comes_whole_with_its_exit_code(build: Build) -> None:
    text = "é" * (KEPT // 2)
    with pytest.raises(dagger.ExecError) as raised:
        await verdict(build.workbench.container, text, 10)
    assert (raised.value.exit_code, raised.value.stdout) == (10, text)
    assert is_verdict(raised.value)


async def test_a_longer_result_is_refused_with_what_to_do(build: Build) -> None:
    with pytest.raises(ReleaseError, match=r"has 102401 bytes.* examine fewer images at once, or give --exit-code 0"):
        await verdict(build.workbench.container, "x" * (KEPT + 1), 10)


async def test_a_result_without_an_exit_code_has_any_length(build: Build) -> None:
    assert len(await verdict(build.workbench.container, "x" * (KEPT + 1), 0)) == KEPT + 1
