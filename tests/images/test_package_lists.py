"""Steps install from the package lists of their line, unless their image has other sources."""

import dagger
import pytest

from pipeline.build.inputs import Build
from pipeline.steps.install import package_lists, packages
from pipeline.steps.step import EPOCH

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Adds a source with one package.
OWN_SOURCE = """
mkdir -p /own /tmp/own/DEBIAN
printf 'Package: own\\nVersion: 1\\nArchitecture: all\\nMaintainer: own\\nDescription: own\\n' >/tmp/own/DEBIAN/control
dpkg-deb --build /tmp/own /own/own.deb
cd /own
dpkg-deb --field own.deb >Packages
printf 'Filename: ./own.deb\\nSize: %s\\n' "$(stat -c %s own.deb)" >>Packages
echo "SHA256: $(sha256sum own.deb | cut -d' ' -f1)" >>Packages
echo 'deb [trusted=yes] file:/own ./' >/etc/apt/sources.list.d/own.list
"""


@pytest.fixture
def base(build: Build) -> dagger.Container:
    return build.workbench.container.with_env_variable(EPOCH, build.settings.epoch)


async def test_an_image_with_a_source_of_its_own_gets_lists_of_its_own(base: dagger.Container) -> None:
    extended = base.with_exec(["sh", "-euc", OWN_SOURCE, "a source of its own"])
    made = packages("own").on(extended, "ska-own", package_lists(base, "ska-base"))
    assert await made.with_exec(["dpkg-query", "--show", "--showformat", "${Version}", "own"]).stdout() == "1"


async def test_the_lists_are_not_in_the_image(base: dagger.Container) -> None:
    made = packages("tzdata").on(base, "ska-own", package_lists(base, "ska-base"))
    found = made.with_exec(["sh", "-c", "find /run/apt /var/lib/apt/lists -type f || true"])
    assert await found.stdout() == ""
