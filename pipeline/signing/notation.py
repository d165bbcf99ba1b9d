"""notation in a container that reaches one registry.

Signatures are OCI referrers, and entries of the tag `sha256-<digest>` where the registry lacks the Referrers API.
Their envelope is JWS: it is notation's own default, and every verifier reads it, though each reads COSE too.
A signature of notation covers a digest and no name. So we sign the repository as metadata, which others ignore.
Source: https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import dagger

from pipeline.build.inputs import Build
from pipeline.gates.tools import Toolbox
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.signing.reach import reaching
from pipeline.text_files import text_files

NOTATION = "/mnt/tools/notation"
#: The signed metadata that names the repository, with its registry.
REPOSITORY = "int.skao.image.repository"
_HOME = "/mnt/notation"
_REASON = re.compile(r"failed verification with error: (.*)")
_MESSAGE = re.compile(r"^Error: (.+)", re.MULTILINE | re.DOTALL)
_MOST_TEXT = 1_000


@dataclass(frozen=True)
class Notation:
    """notation, and how it reaches a registry.

    Args:
        container: with the program, the login and the certificates.
        plain_http: whether the registry speaks no TLS.
    """

    container: dagger.Container
    plain_http: bool

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return a command that talks to the registry."""
        return [NOTATION, verb, *(("--insecure-registry",) if self.plain_http else ()), *arguments]

    def configured(self, files: Mapping[str, str]) -> "Notation":
        """Return notation with files in its configuration directory."""
        directory = text_files({f"notation/{path}": text for path, text in files.items()})
        container = self.container.with_mounted_directory(_HOME, directory)
        return Notation(container.with_env_variable("XDG_CONFIG_HOME", _HOME), self.plain_http)


async def open_notation(build: Build, registry: Registry) -> Notation:
    """Return notation for a registry.

    Args:
        build: whose base and tools are used.
        registry: that it reaches as the pipeline's own client does.

    Raises:
        ToolError: notation is missing, or its digest is wrong.
    """
    mount, _ = await Toolbox.of(build).mount("notation", NOTATION)
    return Notation(reaching(build.workbench.container.with_(mount), registry), registry.plain_http)


def claim(reference: Reference) -> tuple[str, ...]:
    """Return the arguments that name an image's repository in its signature."""
    return ("--user-metadata", f"{REPOSITORY}={reference.address}/{reference.name}")


def explained(error: dagger.ExecError) -> str:
    """Return notation's own message about why it failed, with what is wrong with each signature."""
    found = _MESSAGE.search(error.stderr)
    reasons = dict.fromkeys([*_REASON.findall(error.stderr), found[1] if found else f"exit code {error.exit_code}"])
    return "; ".join(" ".join(reason.split()) for reason in reasons)[:_MOST_TEXT]
