"""Certificate authorities that an engine lends to every exec: no layer holds a trace of them, and no check sees them.

Dagger's engine writes its own into /usr/local/share/ca-certificates before an exec, calls update-ca-certificates where
the container has it, and removes them afterwards. Here a mount that ends with the exec stands for that:
https://github.com/dagger/dagger/blob/v0.21.8/engine/engineutil/cacerts/distros.go
"""

from dataclasses import replace

import dagger
import pytest
from dagger import dag

from pipeline.build.inputs import Build
from pipeline.checks import Subject
from pipeline.checks.base_checks import CERTIFICATES
from pipeline.steps.install import packages, shell, with_own_files

LOCAL = "/usr/local/share/ca-certificates"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
MAKE = "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=lent -out /lent.crt"
#: What the engine does before an exec in an image that has the program, and the end of each of the images' steps.
STEP = f"update-ca-certificates\n{shell('tidy')}"


@pytest.fixture
def lent(images: dict[str, dagger.Container]) -> dagger.File:
    """A certificate authority of the engine's."""
    return images["ska-base"].with_exec(["sh", "-euc", MAKE, "make an authority"]).file("/lent.crt")


def lend(container: dagger.Container, lent: dagger.File) -> dagger.Container:
    return container.with_mounted_file(f"{LOCAL}/custom-ca.crt", lent)


async def certificates(container: dagger.Container) -> tuple[str, str]:
    """Return the digests of what tells which authorities are trusted: contents, modes, owners and links."""
    return await container.directory("/etc/ssl").digest(), await container.directory("/usr/local").digest()


async def test_a_step_that_installs_ca_certificates_leaves_no_trace_of_them(build: Build, lent: dagger.File) -> None:
    # A directory that is made for a mount goes with it, unlike the engine's.
    base = build.workbench.container.with_directory(LOCAL, dag.directory())
    base = base.with_env_variable("SOURCE_DATE_EPOCH", build.settings.epoch)
    install = packages("ca-certificates")
    expected = await certificates(install.on(base, "ska-base"))
    assert await certificates(install.on(lend(base, lent), "ska-base")) == expected


async def test_a_step_in_an_image_that_has_ca_certificates_leaves_no_trace_of_them(
    images: dict[str, dagger.Container], lent: dagger.File
) -> None:
    base = images["ska-base"]
    done = with_own_files(lend(base, lent)).with_exec(["sh", "-euc", STEP, "step"])
    links = ["sh", "-euc", f"find /etc/ssl/certs -type l -printf '%p %l\\n' | sort; sha256sum {BUNDLE}", "look"]
    assert await done.without_mount(f"{LOCAL}/custom-ca.crt").with_exec(links).stdout() == (
        await base.with_exec(links).stdout()
    )


async def test_certificates_of_the_image_itself_stay(images: dict[str, dagger.Container], lent: dagger.File) -> None:
    own = images["ska-base"].with_file(f"{LOCAL}/own.crt", lent).with_exec(["update-ca-certificates"])
    other = own.with_exec(["sh", "-euc", MAKE, "make another authority"]).file("/lent.crt")
    done = with_own_files(lend(own, other)).with_exec(["sh", "-euc", STEP, "step"])
    assert "own.pem" in await done.directory("/etc/ssl/certs").entries()
    assert "custom-ca.pem" not in await done.directory("/etc/ssl/certs").entries()
    look = f"grep -c BEGIN {BUNDLE}; find /etc/ssl/certs -name '*.[0-9]' -lname own.pem | wc -l"
    counts = (await done.with_exec(["sh", "-euc", look, "look"]).stdout()).split()
    assert counts == (await own.with_exec(["sh", "-euc", look, "look"]).stdout()).split()
    assert counts[1] == "1"


@pytest.mark.parametrize("subject", ["ska-base"], indirect=True)
async def test_the_check_of_certificates_looks_at_the_image_s_own_bundle(subject: Subject) -> None:
    image = subject.container
    broken = image.with_exec(["sh", "-euc", f"sed -i '1,/END CERTIFICATE/d' {BUNDLE}", "break the bundle"])
    repaired = replace(subject, container=broken.with_mounted_file(BUNDLE, image.file(BUNDLE)))
    assert not (await CERTIFICATES.run(repaired)).passed
    changed = replace(subject, container=image.with_mounted_file(BUNDLE, broken.file(BUNDLE)))
    assert (await CERTIFICATES.run(changed)).passed
