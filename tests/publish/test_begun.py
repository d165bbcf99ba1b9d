"""The settings of a release: the same in the run that begins it and in one that goes on with it."""

from pipeline.build.settings import Settings
from pipeline.registry.registry import Registry
from pipeline.release.publish import _as_begun

UBUNTU = "ubuntu:22.04@sha256:" + "0" * 64


async def test_a_release_is_frozen_by_the_run_that_begins_it(registry: Registry) -> None:
    given = {"version": "1.2.3"}
    begun = await _as_begun(Settings(**given), given, registry)
    assert begun.snapshot_of(UBUNTU) == Settings().created[:10].replace("-", "") + "T000000Z"


async def test_a_pre_release_is_not_frozen(registry: Registry) -> None:
    given = {"version": "1.2.3-rc.1"}
    assert (await _as_begun(Settings(**given), given, registry)).snapshot_of(UBUNTU) == ""
