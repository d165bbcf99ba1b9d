"""Other projects' programs and rules that gates use, each pinned by its SHA-256.

They are mounted into containers as files, so that the same functions run on every engine. Nothing is run or read before
its digest is verified.
"""

from dataclasses import dataclass
from types import MappingProxyType

import dagger
from dagger import dag

from pipeline.build.inputs import Build
from pipeline.errors import ToolError
from pipeline.steps.step import Step

_HOW = "give --tools DIR; `make tools` fills one"


@dataclass(frozen=True)
class UpstreamRelease:
    """A tool's upstream release.

    Args:
        url: the URL of the file, or of a gzip-compressed tar.
        checksum: the SHA-256 of the download, hexadecimal.
        member: the file in the tar; empty if the URL is the file itself.
    """

    url: str
    checksum: str
    member: str = ""


@dataclass(frozen=True)
class Tool:
    """A program or a set of rules.

    Args:
        name: the name of its file in the directory of --tools.
        version: the upstream version.
        licence: the SPDX expression.
        files: the SHA-256 of each known build of this version, hexadecimal.
        upstream: the release that is used without --tools; None if its digest is not known.
    """

    name: str
    version: str
    licence: str
    files: frozenset[str]
    upstream: UpstreamRelease | None = None


_ALL = (
    Tool(
        name="trivy",
        version="0.76.0",
        licence="Apache-2.0",
        files=frozenset({"1f889576636db0623539cb339df7d06c40ebf39e7919489eafa1160e29808f19"}),
        upstream=UpstreamRelease(
            "https://github.com/aquasecurity/trivy/releases/download/v0.76.0/trivy_0.76.0_Linux-64bit.tar.gz",
            "e24b1c51293c1b15e4ba8d45bbc7891ba053f90278ec2698f3562c993e145fe7",
            "trivy",
        ),
    ),
    Tool(
        name="cosign",
        version="3.1.1",
        licence="Apache-2.0",
        files=frozenset(
            {
                "bd66953f030c6089ce4a7191cd00d441d84dc792b4ac53fc05e5c258b1d10f53",
                "ae1ecd212663f3693ad9edf8b1a183900c9a52d3155ba6e354237f9a0f6463fc",
            }
        ),
        upstream=UpstreamRelease(
            "https://github.com/sigstore/cosign/releases/download/v3.1.1/cosign-linux-amd64",
            "ae1ecd212663f3693ad9edf8b1a183900c9a52d3155ba6e354237f9a0f6463fc",
        ),
    ),
    Tool(
        name="notation",
        version="1.3.2",
        licence="Apache-2.0",
        files=frozenset({"c038f5ca36bfab71e14e7e12a0d9080fe8508c5a403e77740350b64dde08f806"}),
        upstream=UpstreamRelease(
            "https://github.com/notaryproject/notation/releases/download/v1.3.2/notation_1.3.2_linux_amd64.tar.gz",
            "e1a0f060308086bf8020b2d31defb7c5348f133ca0dba6a1a7820ef3cbb6dfe5",
            "notation",
        ),
    ),
    # OpenSCAP's rules, from a package that the base's own distribution signs.
    Tool(
        name="ssg-debian12-ds.xml",
        version="0.1.82",
        licence="BSD-3-Clause",
        files=frozenset({"122d6e2303d4813ecec63018a65157b9e39975064b0edd6a18ee6d0ea5b1842d"}),
    ),
    Tool(
        name="ssg-debian13-ds.xml",
        version="0.1.82",
        licence="BSD-3-Clause",
        files=frozenset({"512316aea5a9a38603465d1aeaba1a7f953b4c373851e2aa79f75666e3d163ab"}),
    ),
    Tool(
        name="ssg-ubuntu2204-ds.xml",
        version="0.1.82",
        licence="BSD-3-Clause",
        files=frozenset({"4c5567d0b8f37b27a0f60ccedc67b98625aa0a3022b66ee1ceb081c11dfeb346"}),
    ),
    Tool(
        name="ssg-ubuntu2404-ds.xml",
        version="0.1.82",
        licence="BSD-3-Clause",
        files=frozenset({"9edff2e16cfc3d8261b66d0562e4c439ae4dfc8d81fd904b61281e2e37eb2300"}),
    ),
)
#: The tools by name.
TOOLS = MappingProxyType({tool.name: tool for tool in _ALL})


@dataclass(frozen=True)
class UsedTool:
    """A tool as it was mounted.

    Args:
        name: its name in TOOLS.
        version: the upstream version.
        checksum: the SHA-256 of the mounted file, hexadecimal.
    """

    name: str
    version: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Toolbox:
    """The source of tools.

    Args:
        helper: a container with a shell, tar and sha256sum, as every base has.
        given: a directory of tools, used instead of upstream releases.
    """

    helper: dagger.Container
    given: dagger.Directory | None = None

    @classmethod
    def of(cls, build: Build) -> "Toolbox":
        """Return the toolbox of a run."""
        return cls(build.workbench.container, build.tools)

    async def mount(self, name: str, path: str) -> tuple[Step, UsedTool]:
        """Return a step that mounts a verified tool, and the tool.

        Args:
            name: one of TOOLS.
            path: the absolute path of the mount.

        Raises:
            ToolError: the tool is missing, or its digest is wrong.
        """
        file, tool = await self.file(name)
        return lambda container: container.with_mounted_file(path, file), tool

    async def file(self, name: str) -> tuple[dagger.File, UsedTool]:
        """Return a tool's verified file, and the tool.

        Raises:
            ToolError: the tool is missing, or its digest is wrong.
        """
        tool = TOOLS[name]
        file = await (self._released(tool) if self.given is None else self._from_given(self.given, tool))
        checksum = await self._checksum(file)
        # An upstream release was compared with its own digest.
        if self.given is not None and checksum not in tool.files:
            raise ToolError(
                f"{name} in the directory of --tools has the SHA-256 {checksum}, which is not a known build of "
                f"{tool.version}; do not run it, and fetch it again with `make tools`."
            )
        return file, UsedTool(name, tool.version, checksum)

    async def _checksum(self, file: dagger.File) -> str:
        command = ["sha256sum", "/mnt/file"]
        return (await self.helper.with_mounted_file("/mnt/file", file).with_exec(command).stdout()).split(" ")[0]

    async def _from_given(self, given: dagger.Directory, tool: Tool) -> dagger.File:
        if tool.name not in await given.entries():
            raise ToolError(f"The directory of --tools has no {tool.name}; `make tools` fills one.")
        return given.file(tool.name)

    async def _released(self, tool: Tool) -> dagger.File:
        upstream = tool.upstream
        if upstream is None:
            raise ToolError(f"The digest of the upstream release of {tool.name} {tool.version} is not known; {_HOW}.")
        mode = 0o644 if upstream.member else 0o755
        file = dag.http(upstream.url, checksum=f"sha256:{upstream.checksum}", permissions=mode)
        if upstream.member:
            command = ["tar", "-xzf", "/mnt/release.tar.gz", "-C", "/opt", upstream.member]
            unpacked = self.helper.with_mounted_file("/mnt/release.tar.gz", file).with_exec(command)
            file = unpacked.file(f"/opt/{upstream.member}")
        try:
            return await file.sync()
        except dagger.QueryError as error:
            raise ToolError(f"{tool.name} {tool.version} cannot be downloaded ({error}); {_HOW}.") from error


def last_words(error: dagger.QueryError) -> str:
    """Return the end of a failed program's output, on one line."""
    text = error.stderr or f"exit code {error.exit_code}" if isinstance(error, dagger.ExecError) else str(error)
    return " ".join(text.split()[-60:])
