"""A database of vulnerabilities is used only when it can be trusted."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from pipeline.build.assembly import BuiltImage
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.errors import HoldError, SettingsError
from pipeline.gates.definition import GateInputs
from pipeline.gates.scan.database import DatabaseOrder, read_updated
from pipeline.gates.scan.gate_scan import open_scanner, scan
from tests.registry import free_address, running
from tests.trust.databases import CRITICAL, make, order_of

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry, for mirrors."""
    with running(tmp_path_factory.mktemp("registry")) as address:
        yield address


def mirror(registry: str, name: str, database: Path) -> str:
    """Push a database as Trivy's own makers do, and return its reference."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in sorted(database.iterdir()):
            archive.add(file, file.name)
    layer = _push(registry, name, gzip.compress(packed.getvalue(), mtime=0), "db.layer.v1.tar+gzip")
    config = _push(registry, name, b"{}", "config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [{**layer, "annotations": {"org.opencontainers.image.title": "db.tar.gz"}}],
    }
    answer = requests.put(
        f"http://{registry}/v2/{name}/manifests/2",
        data=json.dumps(manifest),
        headers={"Content-Type": str(manifest["mediaType"])},
        timeout=10,
    )
    answer.raise_for_status()
    return f"{registry}/{name}:2"


def _push(registry: str, name: str, content: bytes, kind: str) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = requests.post(f"http://{registry}/v2/{name}/blobs/uploads/", timeout=10)
    requests.put(begun.headers["Location"], params={"digest": digest}, data=content, timeout=10).raise_for_status()
    return {"mediaType": f"application/vnd.aquasec.trivy.{kind}", "digest": digest, "size": len(content)}


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=3), timedelta(minutes=-59)])
def test_a_database_of_these_days_is_taken(age: timedelta) -> None:
    metadata = json.dumps({"UpdatedAt": (NOW - age).strftime("%Y-%m-%dT%H:%M:%S.987654321Z")})
    assert read_updated(metadata, "X", NOW, 3) == (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ('{"UpdatedAt": "2025-11-24T12:00:00Z"}', "of X is of 2025-11-24T12:00:00Z, older than the 3 days"),
        ('{"UpdatedAt": "2026-11-21T11:59:59Z"}', "older than the 3 days of the setting scan_database_days"),
        ('{"UpdatedAt": "2099-01-01T00:00:00Z"}', "is of 2099-01-01T00:00:00Z, which is still to come"),
        ('{"UpdatedAt": "0001-01-01T00:00:00Z"}', "older than the 3 days"),
        ('{"UpdatedAt": "yesterday"}', "does not say when it was made"),
        ('{"UpdatedAt": 1}', "does not say when it was made"),
        ("{}", "does not say when it was made"),
        ("[]", "does not say when it was made"),
        ("{", "does not say when it was made"),
    ],
)
def test_a_database_of_another_time_is_refused(metadata: str, says: str) -> None:
    with pytest.raises(HoldError, match=re.escape(says)):
        read_updated(metadata, "X", NOW, 3)


async def test_a_database_of_last_year_is_refused(trusting: Build, tmp_path: Path) -> None:
    old = make(tmp_path / "db", CRITICAL, age=timedelta(days=365))
    with pytest.raises(HoldError, match="older than the 3 days"):
        await open_scanner(GateInputs(trusting, moment, order_of(old)))


@pytest.mark.parametrize("name", ["trivy.db", "metadata.json"])
async def test_no_database_is_refused(trusting: Build, tmp_path: Path, name: str) -> None:
    (make(tmp_path / "db") / name).unlink()
    with pytest.raises(HoldError, match=f"^--vulnerability-db-directory holds no {re.escape(name)}; give a directory"):
        await open_scanner(GateInputs(trusting, moment, order_of(tmp_path)))


async def test_a_database_without_the_distribution_is_refused(trusting: Build, tmp_path: Path) -> None:
    # Trivy finds nothing with it, and ends well.
    other = make(tmp_path / "db", CRITICAL, distributions={"debian 11": "debian", "ubuntu 20.04": "ubuntu"})
    with pytest.raises(HoldError, match=r"knows nothing of (debian 12|ubuntu 22\.04); give one that does"):
        await open_scanner(GateInputs(trusting, moment, order_of(other)))


async def test_a_damaged_database_is_refused(trusting: Build, tmp_path: Path) -> None:
    database = make(tmp_path / "db", CRITICAL)
    (database / "trivy.db").write_bytes((database / "trivy.db").read_bytes()[:8192])
    with pytest.raises(HoldError, match="knows nothing of"):
        await open_scanner(GateInputs(trusting, moment, order_of(database)))


async def test_two_databases_are_refused(trusting: Build, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="both name a database; give one"):
        await open_scanner(GateInputs(trusting, moment, replace(order_of(tmp_path), reference="registry.example/db:2")))


async def test_trivy_pulls_a_mirror(images: list[BuiltImage], trusting: Build, registry: str, tmp_path: Path) -> None:
    reference = mirror(registry, "mirror/trivy-db", make(tmp_path / "db", CRITICAL))
    scanner = await open_scanner(GateInputs(trusting, moment, DatabaseOrder(reference)))
    (base,) = await scan(images[:1], scanner)
    assert (base.database, {one.vulnerability for one in base.findings}) == (reference, {CRITICAL.id})


async def test_a_mirror_that_stands_still_is_refused(trusting: Build, registry: str, tmp_path: Path) -> None:
    reference = mirror(registry, "old/trivy-db", make(tmp_path / "db", CRITICAL, age=timedelta(days=365)))
    with pytest.raises(HoldError, match=f"of {re.escape(reference)} is of .*, older than the 3 days"):
        await open_scanner(GateInputs(trusting, moment, DatabaseOrder(reference)))


async def test_a_mirror_that_does_not_answer_is_named(trusting: Build) -> None:
    reference = f"{free_address()}/trivy-db:2"
    with pytest.raises(HoldError, match=f"cannot be pulled from {re.escape(reference)} .*; make it reachable, or give"):
        await open_scanner(GateInputs(trusting, moment, DatabaseOrder(reference)))
