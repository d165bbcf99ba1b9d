"""Builds whose packages are those of a moment, from a stand-in of Ubuntu's snapshot service."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import dagger
import pytest
from dagger import dag

from pipeline.build.chain import chain, lists_of_line
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.checks import Subject
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.checks.distribution import DISTRIBUTIONS
from pipeline.steps.install import package_lists, packages
from pipeline.steps.step import SNAPSHOT, Step
from tests import snapshot_service
from tests.built_images import LINE, build_on
from tests.snapshot_service import Service, serving

JANUARY, MARCH = "20260131T000000Z", "20260301T000000Z"
UPSTREAM = "ubuntu:22.04@sha256:" + "0" * 64
RELEASE = Settings(created="2026-01-31T12:00:00Z", version="1.2.3")
SOURCES = """\
deb http://archive.ubuntu.com/ubuntu/ jammy main
deb http://security.ubuntu.com/ubuntu/ jammy-security main
"""
UBUNTU = """
sed -i 's/^ID=.*/ID=ubuntu/; s/^VERSION_ID=.*/VERSION_ID="22.04"/' /etc/os-release
rm -rf /etc/apt/sources.list.d/*
mv /tmp/ubuntu-archive-keyring.gpg /usr/share/keyrings/
"""


@dataclass(frozen=True)
class Archives:
    """The states of the archive, and what vouches for them."""

    january: Path
    march: Path
    forged: Path
    keyring: Path
    certificate: Path
    other_certificate: Path


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    root = tmp_path_factory.mktemp("archives")
    keyring, forger = (snapshot_service.make_key(root / name) for name in ("key", "forger"))
    certificate, other = (snapshot_service.make_certificate(root / name) for name in ("tls", "other-tls"))
    january, march = "Fri, 30 Jan 2026 12:00:00 UTC", "Sat, 28 Feb 2026 12:00:00 UTC"

    def make(name: str, version: str, dated: str, key: Path) -> Path:
        return snapshot_service.make_archive(root / name, version, dated, key.parent, certificate)

    return Archives(
        make("january", "1", january, keyring),
        make("march", "2", march, keyring),
        make("forged", "1", january, forger),
        keyring,
        certificate,
        other,
    )


@pytest.fixture
def service(archives: Archives) -> Iterator[Service]:
    with serving({JANUARY: archives.january, MARCH: archives.march}, archives.certificate) as running:
        yield running


@pytest.fixture
def ubuntu(build: Build, archives: Archives, service: Service) -> dagger.Container:
    """The stand-in base, changed to what matters here of Ubuntu's image, on a machine whose apt has a proxy."""
    return (
        build.workbench.container.with_file("/tmp/ubuntu-archive-keyring.gpg", dag.host().file(str(archives.keyring)))
        .with_exec(["sh", "-euc", UBUNTU, "make it Ubuntu"])
        .with_new_file("/etc/apt/sources.list", SOURCES)
        .with_(apt_settings(f'Acquire::http::Proxy "{service.url}"; Acquire::https::Proxy "{service.url}";'))
    )


def apt_settings(text: str) -> Step:
    """Hand settings of the machine's apt to the steps, as the engine does."""

    def step(container: dagger.Container) -> dagger.Container:
        return container.with_new_file("/run/apt.conf", text).with_env_variable("APT_CONFIG", "/run/apt.conf")

    return step


def image(name: str, base: dagger.Container, settings: Settings = RELEASE) -> dagger.Container:
    return chain(name, build_on(settings, UPSTREAM, container=base))


async def output(container: dagger.Container, script: str) -> str:
    return await container.with_exec(["sh", "-euc", script, "probe"]).stdout()


async def version(container: dagger.Container) -> str:
    return await output(container, "dpkg-query --show --showformat '${Version}' python3")


async def test_a_release_has_the_packages_of_its_day(ubuntu: dagger.Container) -> None:
    assert await version(image("ska-python", ubuntu)) == "1"


async def test_another_snapshot_has_other_packages(ubuntu: dagger.Container) -> None:
    assert await version(image("ska-python", ubuntu, Settings(snapshot=MARCH))) == "2"


async def test_the_first_image_brings_the_certificates_with_which_the_others_ask(
    ubuntu: dagger.Container, service: Service
) -> None:
    await image("ska-base", ubuntu).sync()
    assert {url.split("/dists/")[0] for url in service.requested if "/dists/" in url} == {
        f"http://snapshot.ubuntu.com/ubuntu/{JANUARY}"
    }
    service.requested.clear()
    await image("ska-python", ubuntu).sync()
    assert {url.split("/ubuntu/")[0] for url in service.requested} == {"https://snapshot.ubuntu.com"}


async def test_children_and_checks_of_a_line_use_the_package_lists_that_were_fetched_once(
    ubuntu: dagger.Container, service: Service
) -> None:
    build = build_on(RELEASE, UPSTREAM, container=ubuntu)
    made = await chain("ska-python", build).sync()
    assert [url for url in service.requested if "/dists/" in url]
    service.requested.clear()
    lists = lists_of_line(find("ska-python"), build)
    again = packages("python3").on(await chain("ska-base", build).sync(), "ska-other", lists)
    assert await version(again) == "1"
    await SECURITY_UPDATES.run(
        Subject("ska-python", made, 0, lists, DISTRIBUTIONS["ubuntu-22.04"], "", partial(image, base=ubuntu))
    )
    assert not [url for url in service.requested if "/dists/" in url]


async def test_the_image_keeps_its_own_sources_and_no_word_of_the_snapshot(ubuntu: dagger.Container) -> None:
    made = image("ska-python", ubuntu)
    assert await output(made, "cat /etc/apt/sources.list; ls /etc/apt/sources.list.d") == SOURCES
    assert await output(made, "grep -rlF snapshot.ubuntu.com /etc /var /tmp /root /home || true") == ""
    assert SNAPSHOT not in [await variable.name() for variable in await made.env_variables()]


async def test_the_check_looks_for_updates_of_that_moment(ubuntu: dagger.Container) -> None:
    made = image("ska-python", ubuntu)
    distribution = DISTRIBUTIONS["ubuntu-22.04"]
    lists, later = (package_lists(made.with_env_variable(SNAPSHOT, at), "ska-python") for at in (JANUARY, MARCH))
    subject = Subject("ska-python", made, 0, later, distribution, "", partial(image, base=ubuntu))
    late = await SECURITY_UPDATES.run(subject)
    assert "python3: expected 2, found 1" in late.message
    on_time = await SECURITY_UPDATES.run(replace(subject, package_lists=lists))
    assert "python3: expected" not in on_time.message


async def test_an_index_that_another_key_signs_is_refused(
    ubuntu: dagger.Container, archives: Archives, service: Service
) -> None:
    service.states[JANUARY] = archives.forged
    with pytest.raises(dagger.ExecError) as raised:
        await image("ska-base", ubuntu).sync()
    assert "NO_PUBKEY" in raised.value.stderr


async def test_a_later_state_than_the_snapshot_s_is_refused(
    ubuntu: dagger.Container, archives: Archives, service: Service
) -> None:
    service.states[JANUARY] = archives.march
    with pytest.raises(dagger.ExecError) as raised:
        await image("ska-base", ubuntu).sync()
    assert re.search(r"of Sat, 28 Feb 2026 12:00:00 UTC, later than the snapshot 20260131T000000Z", raised.value.stderr)


async def test_a_service_that_no_authority_vouches_for_is_refused(ubuntu: dagger.Container, archives: Archives) -> None:
    base = image("ska-base", ubuntu).with_env_variable(SNAPSHOT, JANUARY)
    with serving({JANUARY: archives.january}, archives.other_certificate) as stranger:
        settings = f'Acquire::https::Proxy "{stranger.url}"; Acquire::Retries "0";'
        with pytest.raises(dagger.ExecError) as raised:
            await packages("python3").on(base.with_(apt_settings(settings)), "ska-python").sync()
    assert "certificate" in raised.value.stderr


async def test_a_base_that_is_not_ubuntu_is_refused(build: Build) -> None:
    settings = Settings(snapshot=JANUARY)
    base = replace(build.workbench, reference=UPSTREAM)
    with pytest.raises(dagger.ExecError) as raised:
        await chain("ska-base", Build(settings, {LINE: base})).sync()
    assert (raised.value.exit_code, raised.value.stderr) == (
        2,
        "The base is debian, and only Ubuntu's packages have snapshots; build with --snapshot off.",
    )
