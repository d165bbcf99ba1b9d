"""Exceptions of the scan: OpenVEX statements that explain why a vulnerability does no harm here, and until when.

OpenVEX has no field for an expiry date, and its schema allows no other fields, so `status_notes` holds the date:
"Expires 2027-01-31. …". Source: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md (version 0.2.0)
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.catalogue.lookup import by_name
from pipeline.errors import HoldError

#: The directory of the committed statements; its README.md shows one.
VEX = Path(__file__).parents[2] / "data" / "vex"
JUSTIFICATIONS = frozenset(
    (
        "component_not_present",
        "vulnerable_code_not_present",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "inline_mitigations_already_exist",
    )
)
_IMAGE = re.compile(r"pkg:oci/([^@?#]+)")
_EXPIRES = re.compile(r"\bexpires (\d{4}-\d{2}-\d{2})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Exemption:
    """One vulnerability in one package that does not block a release until a date.

    Args:
        vulnerability: the vulnerability's identifier, as in CVE-2026-1234.
        package: the package URL, without a version for all versions.
        image: the name of the image; empty for all images.
        justification: one of OpenVEX's five.
        expires: the last day on which the exception holds, YYYY-MM-DD.
        notes: the statement's notes.
        file: the name of the file with the statement.
        document: an OpenVEX document with this statement alone, for Trivy.
    """

    vulnerability: str
    package: str
    image: str
    justification: str
    expires: str
    notes: str
    file: str
    document: str

    def __str__(self) -> str:
        where = f" in {self.image}" if self.image else ""
        return f"{self.file}: the exception of {self.vulnerability} for {self.package}{where}"


def read_exemptions(directory: Path, today: date) -> tuple[Exemption, ...]:
    """Read every statement in the *.json files of a directory.

    Args:
        directory: a directory of OpenVEX documents.
        today: the day in UTC.

    Raises:
        HoldError: a file is not OpenVEX, or a statement exempts nothing, has no justification or no expiry date, or
            has expired; the text has a sentence for each.
    """
    found: list[Exemption] = []
    wrong: list[str] = []
    for path in sorted(directory.glob("*.json")):
        try:
            for document, statement in _statements(path):
                found += _exemptions(path.name, document, statement, today)
        except _Wrong as error:
            wrong.append(f"{path.name}: {error}")
    if wrong:
        raise HoldError("\n".join(wrong))
    return tuple(found)


class _Wrong(Exception):
    """A fault of a file, with the remedy."""


def _statements(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    try:
        document = json.loads(path.read_text())
        statements = document["statements"]
        is_openvex = document["@context"].startswith("https://openvex.dev/ns") and isinstance(statements, list)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Wrong(
            f"it is not an OpenVEX document ({type(error).__name__}: {error}); correct or remove it."
        ) from error
    if not is_openvex:
        raise _Wrong("it is not an OpenVEX document; correct or remove it.")
    for statement in statements:
        yield document, statement


def _exemptions(file: str, document: Mapping[str, Any], statement: Any, today: date) -> Iterator[Exemption]:
    try:
        vulnerability, products = statement["vulnerability"]["name"], list(_products(statement))
    except (KeyError, TypeError, AttributeError) as error:
        raise _Wrong(f"a statement lacks its vulnerability or the @id of a product ({error!r}); add it.") from error
    subject, notes = f"the exception of {vulnerability}", str(statement.get("status_notes", ""))
    if statement.get("status") != "not_affected":
        raise _Wrong(f"{subject} has the status {statement.get('status')!r}, and only not_affected is one; correct it.")
    if (justification := statement.get("justification")) not in JUSTIFICATIONS:
        raise _Wrong(
            f"{subject} has the justification {justification!r}; give one of {', '.join(sorted(JUSTIFICATIONS))}."
        )
    expires = _expiry(subject, notes)
    if expires < today:
        raise _Wrong(f"{subject} expired on {expires}; look at it again, then renew or remove it.")
    if not products:
        raise _Wrong(f"{subject} names no package; give products, as in pkg:deb/ubuntu/zlib1g.")
    for image, package in products:
        if image and image not in by_name():
            raise _Wrong(f"{subject} names the image {image}, which is not in the catalogue; correct or remove it.")
        alone = {**statement, "products": [{"@id": package}]}
        text = json.dumps({**document, "statements": [alone]})
        yield Exemption(vulnerability, package, image, justification, str(expires), notes, file, text)


def _expiry(subject: str, notes: str) -> date:
    written = _EXPIRES.search(notes)
    try:
        return date.fromisoformat(written[1] if written else "")
    except ValueError as error:
        raise _Wrong(
            f"{subject} has no end; begin its status_notes with a day, as in 'Expires 2027-01-31.'."
        ) from error


def _products(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return image and package of each product.

    A product that is an image has packages as subcomponents. We match the image, since Trivy does not know its name.
    """
    for product in statement.get("products", ()):
        if image := _IMAGE.match(product["@id"]):
            yield from ((image[1], part["@id"]) for part in product["subcomponents"])
        else:
            yield "", product["@id"]
