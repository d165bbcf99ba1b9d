"""The packages of an image, as the image lists them and as an SBOM does."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag
from packageurl import PackageURL

from pipeline.errors import HoldError
from pipeline.gates.tools import last_words

_SCRIPTS = Path(__file__).parent / "scripts"
_PYTHON = "/mnt/list_packages.py"
_FOUND = "/tmp/inventory"  # noqa: S108  in the container that is asked, and thrown away with it


@dataclass(frozen=True, order=True)
class Package:
    """A package that is installed in an image.

    Args:
        kind: deb, pypi for a Python distribution, cargo for a crate, or another type of https://github.com/package-url/purl-spec
        name: the package's name; normalized for a Python distribution, see
            https://packaging.python.org/en/latest/specifications/name-normalization/
        version: the version in the form of dpkg or of the distribution.
        architecture: the architecture of a Debian package.
    """

    kind: str
    name: str
    version: str
    architecture: str = ""

    def __str__(self) -> str:
        architecture = f" ({self.architecture})" if self.architecture else ""
        return f"{self.kind} {self.name} {self.version}{architecture}"


async def ask_image(container: dagger.Container, image: str) -> tuple[Package, ...]:
    """Return the packages that an image lists itself, sorted; a package appears once for each place of installation.

    These are the packages of dpkg, the Python distributions that dpkg did not install, the contents of CycloneDX
    documents in the image, such as the one about what pip vendors, and the crates that Rust programs such as uv list.

    Args:
        container: the finished image, whose own dpkg and Python run.
        image: the image's name.

    Raises:
        HoldError: the image cannot list its packages.
    """
    script = dag.file("list_packages.py", (_SCRIPTS / "list_packages.py").read_text())
    command = ["sh", "-euc", (_SCRIPTS / "inventory.sh").read_text(), f"{image}: list the packages", _PYTHON, _FOUND]
    done = container.with_mounted_file(_PYTHON, script).with_user("root").with_exec(command)
    try:
        lines = (await done.file(_FOUND).contents()).splitlines()
    except dagger.QueryError as error:
        raise HoldError(f"The image cannot say which packages it holds ({last_words(error)}).") from error
    return tuple(sorted(_of_line(line) for line in lines))


def packages_of_cyclonedx(document: str) -> tuple[Package, ...]:
    """Return the packages that an SBOM in CycloneDX lists, sorted."""
    components = json.loads(document)["components"]
    return tuple(sorted(of_purl(component["purl"]) for component in components if "purl" in component))


def packages_of_spdx(document: str) -> tuple[Package, ...]:
    """Return the packages that an SBOM in SPDX lists, sorted and without the image itself."""
    packages = json.loads(document)["packages"]
    found = (
        purl for package in packages if package.get("primaryPackagePurpose") != "CONTAINER" for purl in _purls(package)
    )
    return tuple(sorted(of_purl(purl) for purl in found))


def of_purl(purl: str) -> Package:
    """Return the package that a package URL names.

    Raises:
        ValueError: the URL is malformed.
    """
    parsed = PackageURL.from_string(purl)
    qualifiers = dict(parsed.qualifiers) if isinstance(parsed.qualifiers, dict) else {}
    epoch = f"{qualifiers['epoch']}:" if "epoch" in qualifiers else ""
    architecture = qualifiers.get("arch", "") if parsed.type == "deb" else ""
    return Package(parsed.type, _normal(parsed.type, parsed.name), epoch + (parsed.version or ""), architecture)


def _purls(package: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    for reference in package.get("externalRefs", ()):
        if reference["referenceType"] == "purl":
            yield reference["referenceLocator"]


def _of_line(line: str) -> Package:
    kind, name, version, architecture, _ = line.split("\t")
    return Package(kind, _normal(kind, name), version, architecture)


def _normal(kind: str, name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name
