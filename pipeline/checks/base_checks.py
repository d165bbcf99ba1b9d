"""What must hold in every image."""

from collections.abc import Sequence
from functools import partial

import dagger

from pipeline.checks.check import NONROOT_USER, Check, CheckFailure, Subject, look_check, run_script, script_check
from pipeline.checks.contract_check import CONTRACT
from pipeline.concurrency import concurrently
from pipeline.errors import MetadataError
from pipeline.metadata import KEYS, PATH, parse
from pipeline.steps.install import OWN_FILES, shell, with_apt, with_own_files


async def _metadata(subject: Subject, _: str) -> str:
    try:
        in_file = parse(await subject.container.file(PATH).contents())
    except MetadataError as error:
        raise CheckFailure(str(error)) from error
    except dagger.QueryError as error:
        raise CheckFailure(f"{PATH} cannot be read: {error}") from error
    if (found := tuple(in_file)) != KEYS:
        raise CheckFailure(f"keys of {PATH}: expected {', '.join(KEYS)}; found {', '.join(found)}")
    labels = await concurrently([partial(subject.container.label, key) for key in KEYS])
    wrong = [
        f"label {key}: expected {in_file[key]!r} as in {PATH}, found {label!r}"
        for key, label in zip(KEYS, labels, strict=True)
        if label != in_file[key]
    ]
    if wrong:
        raise CheckFailure("\n".join(wrong))
    return f"{len(KEYS)} labels equal {PATH}"


async def _security_updates(subject: Subject, step: str) -> str:
    container = with_apt(subject.container, subject.image, subject.package_lists)
    return await run_script(container, "security-updates", step, subject.distribution.security, setup=shell("apt"))


async def _distribution(subject: Subject) -> Sequence[str]:
    return (subject.distribution.os_release,)


async def _umask(subject: Subject) -> Sequence[str]:
    return (subject.distribution.umask_by_su,)


async def _unwanted(subject: Subject) -> Sequence[str]:
    return (subject.unwanted,)


async def _size(subject: Subject) -> Sequence[str]:
    return (str(subject.size_budget),)


async def _certificates(subject: Subject, step: str) -> str:
    return await run_script(with_own_files(subject.container), "certificates", step, OWN_FILES)


SECURITY_UPDATES = Check("security-updates", "no security update is pending", _security_updates)
CERTIFICATES = Check("certificates", "the CA bundle is complete and verifies a certificate chain", _certificates)
ALL_IMAGES = (
    Check("metadata", "/etc/skao.metadata equals the labels", _metadata),
    look_check("distribution", "the distribution is that of the image's line", arguments=_distribution),
    look_check("unwanted", "nothing of the base is left that the line removes", arguments=_unwanted),
    SECURITY_UPDATES,
    CERTIFICATES,
    look_check("leftovers", "no package lists, caches, logs or temporary files are left"),
    look_check("privileged-files", "only a short list of files is setuid or setgid"),
    look_check("world-writable", "only sticky directories are writable by everyone"),
    look_check("accounts", "no account can be entered or become root that should not"),
    look_check("umask", "users can read what a build step makes, in every shell", arguments=_umask),
    script_check("homes", "the homes of new users are closed to others"),
    script_check("configuration", "upgrades keep the configuration that the image changed"),
    look_check("locale", "a UTF-8 locale works"),
    look_check("timezones", "time zones work"),
    look_check("nonroot", "the user nonroot exists and runs a shell", users=(NONROOT_USER,)),
    CONTRACT,
    look_check("size", "the files are within the image's size budget", arguments=_size),
)
