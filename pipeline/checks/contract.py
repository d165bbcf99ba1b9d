"""The contract of an image: what is built on it relies on, and what another contract takes from that."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks.distribution import Distribution
from pipeline.errors import CatalogueError
from pipeline.strict import object_of, parse_object, text_of

#: Where a contract stands in its image.
PATH = "/etc/skao.contract.json"
#: How a contract is recorded, for sentences.
RECORD = "`ska-images contracts -o pipeline/data/contracts`"
#: The parts of a contract, as its page heads them; the script contract.sh and `measure` fill them.
SECTIONS: Mapping[str, str] = {
    "accounts": "Accounts",
    "configuration": "Configuration",
    "environment": "Variables",
    "python": "Python",
    "tools": "Tools",
    "absent": "What it does not have",
    "paths": "Paths",
    "privileged": "Setuid and setgid files",
    "size": "Size",
}
#: Parts that may lose and change entries without breaking what is built on the image.
_FREE = frozenset({"absent", "privileged", "size"})
#: Parts whose entries are versions; another first number breaks what is built on the image.
_VERSIONS = frozenset({"tools"})
#: The most bytes of a contract; those of the images have about 5,000.
_LARGEST = 1 << 20
_RECORDED = Path(__file__).parents[1] / "data" / "contracts"


@dataclass(frozen=True)
class Difference:
    """A value that differs between two contracts.

    Args:
        section: of the contract, as in tools.
        name: of the value, as in git.
        before: the value in the first contract; empty if it is new.
        after: the value in the second contract; empty if it is gone.
    """

    section: str
    name: str
    before: str
    after: str

    @property
    def title(self) -> str:
        """What differs, as in tools git."""
        return f"{self.section} {self.name}"

    @property
    def is_breaking(self) -> bool:
        """Whether what was built on the image may stop working."""
        if self.section in _FREE or not self.before:
            return False
        if self.section in _VERSIONS and self.after:
            return self.before.partition(".")[0] != self.after.partition(".")[0]
        return True


@dataclass(frozen=True)
class Contract:
    """What consumers of an image see.

    Args:
        image: the name of the image.
        distribution: that it is of, as in debian-12.
        sections: the values by their names, for each of SECTIONS.
    """

    image: str
    distribution: str
    sections: Mapping[str, Mapping[str, str]]

    def render(self) -> str:
        """Return it as JSON with one value a line, so that a review shows each change."""
        sections = {name: dict(sorted(self.sections.get(name, {}).items())) for name in SECTIONS}
        return json.dumps({"image": self.image, "distribution": self.distribution, **sections}, indent=2) + "\n"


def parse(raw: bytes) -> Contract:
    """Read a contract, which may come from a hostile registry.

    Raises:
        ValueError: it is malformed.
    """
    document = parse_object(raw, _LARGEST)
    sections = {
        section: {name: text_of(value) for name, value in object_of(document.get(section, {})).items()}
        for section in SECTIONS
    }
    return Contract(text_of(document.get("image")), text_of(document.get("distribution")), sections)


def recorded(image: str, distribution: Distribution) -> Contract | None:
    """Return the committed contract of an image; None if there is none yet.

    Args:
        image: its name.
        distribution: that its base is of.

    Raises:
        CatalogueError: the file is damaged, or is the contract of another image.
    """
    path = _RECORDED / distribution.name / f"{image}.json"
    if not path.exists():
        return None
    try:
        contract = parse(path.read_bytes())
    except ValueError as error:
        raise CatalogueError(
            f"The contract {path} cannot be read ({error}); remove it, and record it with {RECORD}."
        ) from error
    if (contract.image, contract.distribution) != (image, distribution.name):
        raise CatalogueError(
            f"The contract {path} is of {contract.image} on {contract.distribution}; remove it, and record that of "
            f"{image} on {distribution.name} with {RECORD}."
        )
    return contract


def differences(before: Contract, after: Contract) -> list[Difference]:
    """Return what differs between two contracts, section by section."""
    return [
        Difference(section, name, old.get(name, ""), new.get(name, ""))
        for section in SECTIONS
        for old, new in [(before.sections.get(section, {}), after.sections.get(section, {}))]
        for name in sorted({*old, *new})
        if old.get(name, "") != new.get(name, "")
    ]


def page(contracts: list[Contract]) -> str:
    """Return the contracts of a distribution's images as a page in Markdown."""
    return "\n".join(_page(contracts))


def _page(contracts: list[Contract]) -> Iterator[str]:
    yield from (f"# Contracts on {contracts[0].distribution}", "")
    yield "What is built on these images relies on this until their next major version. Of versions, the first two"
    yield from ("numbers are written down.", "")
    for contract in contracts:
        yield from (f"## {contract.image}", "")
        for section, title in SECTIONS.items():
            values = contract.sections.get(section, {})
            if not values:
                continue
            if not any(values.values()):
                yield from (f"{title}: {', '.join(f'`{name}`' for name in sorted(values))}.", "")
                continue
            yield from (f"| {title} | |", "| --- | --- |")
            yield from (f"| `{name}` | {_cell(values[name])} |" for name in sorted(values))
            yield ""


def _cell(value: str) -> str:
    return f"`{value}`".replace("|", "\\|") if value else ""
