"""Trivy's database of vulnerabilities: its source, and whether to trust it.

Trivy itself accepts a database that is years old, and finds nothing in one that lacks the distribution.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import dagger

from pipeline.errors import HoldError, SettingsError
from pipeline.gates.trivy import CACHE, TRIVY

#: The path where Trivy looks for it.
DB = f"{CACHE}/db"
_FILES = ("metadata.json", "trivy.db")
_CERTIFICATES = "/mnt/ca-certificates.crt"
#: How far the clock of the database's maker may be ahead.
_SKEW = timedelta(hours=1)
#: The variable with the day, which makes each day's download a new step.
_DAY = "SKA_SCAN_DAY"
# If the engine passes on the certificates of this machine, they replace the image's.
_PULL = """
export SSL_CERT_FILE="${SSL_CERT_FILE:-$4}"
"$1" image --quiet --download-db-only --disable-telemetry --skip-version-check --cache-dir "$2" \\
    ${3:+"--db-repository=$3"}
"""
# In bbolt's pages a value follows its key: this matches the distribution's entry among the data sources.
_KNOWS = """
. /etc/os-release
case $ID in debian) version=${VERSION_ID%%.*} ;; *) version=$VERSION_ID ;; esac
if LC_ALL=C grep -q -a -F "$ID $version{\\"ID\\":" "$1"; then echo known; else echo "$ID $version"; fi
"""


@dataclass(frozen=True)
class DatabaseOrder:
    """The requested database; Trivy's own mirrors by default.

    Args:
        reference: the reference of a mirror in a registry, as in registry.example/mirror/trivy-db:2.
        directory: a directory with trivy.db and metadata.json, or with both in db/.
    """

    reference: str = ""
    directory: dagger.Directory | None = None


@dataclass(frozen=True)
class Database:
    """A database that the scan can trust.

    Args:
        directory: the directory with trivy.db and metadata.json.
        origin: the source of the database.
        updated: the time of its making, as in 2026-01-31T12:00:00Z.
    """

    directory: dagger.Directory
    origin: str
    updated: str


async def open_database(
    order: DatabaseOrder, container: dagger.Container, certificates: dagger.File, now: datetime, days: float
) -> Database:
    """Get a database and examine it.

    Args:
        order: the requested database.
        container: a container of the base with Trivy.
        certificates: certificates in PEM of the authorities that may sign a mirror's certificate.
        now: the present time.
        days: the greatest allowed age in days.

    Raises:
        SettingsError: two databases were given.
        HoldError: the database cannot be fetched, is too old, or does not know the base's distribution.
    """
    if order.reference and order.directory:
        raise SettingsError("--vulnerability-db and --vulnerability-db-directory both name a database; give one.")
    if order.directory:
        origin, directory = "--vulnerability-db-directory", await _inside(order.directory)
    else:
        origin = order.reference or "Trivy's mirrors"
        directory = await _pull(order.reference, container, certificates, now)
    updated = read_updated(await directory.file("metadata.json").contents(), origin, now, days)
    step = ["sh", "-euc", _KNOWS, "vulnerability database: look at it", f"{DB}/trivy.db"]
    output = (await container.with_mounted_directory(DB, directory).with_exec(step).stdout()).strip()
    if output != "known":
        raise HoldError(f"The vulnerability database of {origin} knows nothing of {output}; give one that does.")
    return Database(directory, origin, updated)


def read_updated(metadata: str, origin: str, now: datetime, days: float) -> str:
    """Return the time when a database was made.

    Args:
        metadata: the text of its metadata.json.
        origin: its name in errors.
        now: the present time.
        days: the greatest allowed age in days.

    Raises:
        HoldError: the time is missing, too long ago, or in the future.
    """
    try:
        # Trivy writes nanoseconds, which Python 3.10 does not read.
        written = re.sub(r"\.\d+", "", json.loads(metadata)["UpdatedAt"]).replace("Z", "+00:00")
        updated = datetime.fromisoformat(written).astimezone(timezone.utc)
    except (ValueError, KeyError, TypeError) as error:
        raise HoldError(
            f"The metadata.json of the vulnerability database of {origin} does not say when it was made ({error!r}); "
            "fetch it again."
        ) from error
    made = updated.strftime("%Y-%m-%dT%H:%M:%SZ")
    if now - updated > timedelta(days=days):
        raise HoldError(
            f"The vulnerability database of {origin} is of {made}, older than the {days:g} days of the setting "
            "scan_database_days; fetch a newer one."
        )
    if updated - now > _SKEW:
        raise HoldError(f"The vulnerability database of {origin} is of {made}, which is still to come; fetch it again.")
    return made


async def _inside(given: dagger.Directory) -> dagger.Directory:
    names = await _names(given)
    directory, names = (given.directory("db"), await _names(given.directory("db"))) if "db" in names else (given, names)
    if missing := [name for name in _FILES if name not in names]:
        raise HoldError(
            f"--vulnerability-db-directory holds no {missing[0]}; give a directory that Trivy filled "
            "(trivy image --download-db-only --cache-dir DIR)."
        )
    return directory


async def _names(directory: dagger.Directory) -> set[str]:
    return {name.rstrip("/") for name in await directory.entries()}


async def _pull(
    reference: str, container: dagger.Container, certificates: dagger.File, now: datetime
) -> dagger.Directory:
    step = ["sh", "-euc", _PULL, "vulnerability database: pull", TRIVY, CACHE, reference, _CERTIFICATES]
    pulled = (
        container.with_mounted_file(_CERTIFICATES, certificates)
        .with_env_variable(_DAY, now.strftime("%Y-%m-%d"))
        .with_user("root")
        .with_exec(step)
    )
    try:
        return await pulled.directory(DB).sync()
    except dagger.ExecError as error:
        last = (error.stderr.strip().splitlines() or ["no word"])[-1].split("\t")[-1].lstrip("* ")
        raise HoldError(
            f"The vulnerability database cannot be pulled from {reference or 'its mirrors'} ({last}); make it "
            "reachable, or give another with --vulnerability-db or --vulnerability-db-directory."
        ) from error
