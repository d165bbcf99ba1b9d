"""The settings of a build: [tool.ska-images] in pyproject.toml < .env < SKA_* in the environment < arguments.

Only the .env beside that pyproject.toml counts: settings decide in which image signatures are verified, so the current
directory has no say. No other module reads the environment or the clock for a build.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, PrivateAttr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import Self

from pipeline.build.amounts import Days, Size
from pipeline.build.apt_snapshot import AUTO, OFF, of_day, parse
from pipeline.build.base_reference import BaseReference
from pipeline.build.gitlab import of_a_job, traceability
from pipeline.build.label_syntax import on_one_line, split_label
from pipeline.build.line_choice import Bases, Dates, Lines, given_base, require_digest, require_lines_of_bases
from pipeline.build.project import project_table
from pipeline.build.settings_errors import MALFORMED, sentence
from pipeline.build.severity import Severity
from pipeline.build.signature_kinds import Kinds
from pipeline.build.version import Version
from pipeline.catalogue.lines import Line, find_line
from pipeline.errors import SettingsError
from pipeline.registry.address import parse_address

ENV_FILE = ".env"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def _today() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT00:00:00Z")


def moment() -> str:
    """Return the present time, ISO 8601, UTC."""
    return datetime.now(timezone.utc).strftime(TIME_FORMAT)


def in_a_module() -> bool:
    """Return whether this process is Dagger's runtime of the module.

    https://github.com/dagger/dagger/blob/v0.21.8/sdk/python/runtime/main.go sets this variable. Users set
    DAGGER_MODULE for `dagger call`, so it proves nothing.
    """
    return bool(os.environ.get("DAGGER_MAIN_OBJECT"))


def _utc(value: str, layout: str) -> datetime:
    moment = datetime.strptime(value, layout)
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class Settings(BaseSettings):
    """The settings of one build; arguments override all other sources.

    Raises:
        SettingsError: a value is malformed; the text names the setting, the value and the remedy.
    """

    # A .env file serves other programs too, so unknown names in it are ignored.
    model_config = SettingsConfigDict(
        env_prefix="SKA_", env_ignore_empty=True, frozen=True, populate_by_name=True, extra="ignore"
    )

    #: The lines that are built.
    lines: Lines = ("ubuntu22",)
    #: Images that lines are built from, instead of those of the catalogue: each with its digest, as LINE=REFERENCE, or
    #: REFERENCE if there is one line.
    base: Bases = ()
    #: Where the images are published: a host, with an optional path.
    registry: str
    #: Semantic version of the images, without a leading v.
    version: str
    #: The one time of the whole build: ISO 8601, UTC.
    created: str = Field(default_factory=_today)
    #: The snapshot of Ubuntu's archive: YYYYMMDD[THHMMSSZ], off, or auto (see `snapshot_of`).
    snapshot: str = AUTO
    team: str
    url: str
    source: str
    documentation: str
    vendor: str
    licenses: str
    #: The commit that is built; GitLab jobs need not set it.
    revision: str = Field("", validation_alias=AliasChoices("SKA_REVISION", "CI_COMMIT_SHA"))
    #: The image, with its digest, that OpenSCAP runs in unless the base is a stand-in.
    auditor: str
    #: Labels beyond those of the build, each key=value.
    label: tuple[str, ...] = ()
    #: Whether labels name the people of a GitLab job.
    personal_labels: bool = False
    #: The lowest severity that stops a release.
    scan_fails_on: Severity = "critical"
    #: The lowest severity that stops a release if the vulnerability has a fix.
    scan_fails_on_fixable: Severity = "high"
    #: Until which day a line may be released without an audit, as LINE=DATE, where no CIS profile exists.
    no_profile_until: Dates = ()
    #: The kinds of signatures without which a final version is neither published nor verified.
    require_signatures: Kinds = ()
    #: The greatest age of the vulnerability database, in days.
    scan_database_days: Days = 3
    #: The most requests that a call sends to the engine at a time.
    max_concurrent_requests: int = Field(6, ge=1)
    #: The embedded engine's directory; without it, one of this user's.
    store: Path | None = None
    #: The most that it holds when a build ends, as in 20GB; 0 for no limit. The default is the engine's own.
    cache_quota: Size | None = None

    _traceability: dict[str, str] = PrivateAttr(default_factory=dict)

    def __init__(self, **given: Any) -> None:
        env_file = PYPROJECT.with_name(ENV_FILE)
        # Opening a pipe would block.
        if env_file.exists() and not env_file.is_file():
            raise SettingsError(f"{env_file} is not a regular file, so no setting can be read from it; remove it.")
        try:
            super().__init__(_env_file=env_file, **given)
        except MALFORMED as error:
            raise SettingsError(sentence(error)) from error
        self._traceability = traceability(os.environ, personal=self.personal_labels)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources, the strongest first."""
        project = InitSettingsSource(settings_cls, init_kwargs=project_table(PYPROJECT, set(cls.model_fields)))
        return init_settings, env_settings, dotenv_settings, project

    @property
    def epoch(self) -> str:
        """`created` in seconds since 1970, for SOURCE_DATE_EPOCH."""
        return str(int(_utc(self.created, TIME_FORMAT).timestamp()))

    def base_of(self, line: Line) -> str:
        """Return the reference of a line's base: the one that was given, or the catalogue's."""
        return given_base(self.base, line.name) or line.base

    def no_profile_until_of(self, line: str) -> str:
        """Return the day until which a line may be released without a CIS profile, ISO 8601; empty for never."""
        return dict(entry.split("=") for entry in self.no_profile_until).get(line, "")

    def snapshot_of(self, base: str) -> str:
        """Return the snapshot of Ubuntu's archive, YYYYMMDDTHHMMSSZ; empty for its present state.

        A release, which is a build of a final version whose `created` is given, takes the snapshot at the start of
        `created`'s day, which is complete by then. A stand-in has no snapshot.

        Args:
            base: the reference of the base.
        """
        if self.snapshot == AUTO and not Version(self.version).is_final:
            return ""
        return self.snapshot_of_a_release(base)

    def snapshot_of_a_release(self, base: str) -> str:
        """Return the `snapshot_of` a final version that is built now.

        Args:
            base: the reference of its base.
        """
        if self.snapshot != AUTO:
            return "" if self.snapshot == OFF else self.snapshot
        if "created" not in self.model_fields_set or BaseReference(base).is_stand_in:
            return ""
        return of_day(_utc(self.created, TIME_FORMAT))

    @property
    def labels(self) -> dict[str, str]:
        """GitLab's variables, overridden by `label`, as keys and values."""
        return {**self._traceability, **dict(split_label(label) for label in self.label)}

    def by_the_job_of(self, labels: Mapping[str, str]) -> "Settings":
        """Return these settings with the GitLab job of another image, read from that image's labels."""
        others = tuple(label for label in self.label if not of_a_job(dict([split_label(label)])))
        same = self.model_copy(update={"label": others})
        same._traceability = of_a_job(labels)
        return same

    @field_validator("auditor")
    @classmethod
    def _has_a_digest(cls, value: str) -> str:
        require_digest("auditor", value)
        return value

    @field_validator("registry")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        try:
            return str(parse_address(value))
        except SettingsError as error:
            raise ValueError(str(error)) from error

    @field_validator("version")
    @classmethod
    def _is_semantic(cls, value: str) -> str:
        if Version(value).is_semantic:
            return value
        raise ValueError(f"The version {value!r} is not a semantic version; write it as 1.2.3 or 1.2.3-rc.1.")

    @field_validator("created")
    @classmethod
    def _is_a_moment(cls, value: str) -> str:
        for layout, length in ((TIME_FORMAT, 20), ("%Y-%m-%dT%H:%M:%S%z", 25), ("%Y-%m-%d", 10)):
            try:
                moment = _utc(value, layout)
            except (ValueError, OverflowError):  # the latter of a time outside the range in UTC, as in the year 1
                continue
            if len(value) == length and moment > datetime.now(timezone.utc):
                raise ValueError(
                    f"The time of creation {value} is in the future, so that files would get different times in each "
                    "build; give a time in the past."
                )
            if len(value) == length and moment.timestamp() >= 0:
                return moment.strftime(TIME_FORMAT)
        raise ValueError(
            f"The time of creation {value!r} is not a time since 1970 in ISO 8601; "
            "write it as 2026-01-31T12:00:00Z, 2026-01-31T13:00:00+01:00 or 2026-01-31."
        )

    @field_validator("snapshot")
    @classmethod
    def _is_a_snapshot(cls, value: str) -> str:
        return value if value in (AUTO, OFF) else parse(value, datetime.now(timezone.utc))

    @model_validator(mode="after")
    def _bases_are_of_lines(self) -> Self:
        require_lines_of_bases(self.base, self.lines)
        return self

    @model_validator(mode="after")
    def _can_be_frozen(self) -> Self:
        stand_ins = [base for line in self.lines if BaseReference(base := self.base_of(find_line(line))).is_stand_in]
        if self.snapshot not in (AUTO, OFF) and stand_ins:
            raise ValueError(
                f"The snapshot {self.snapshot} is of Ubuntu's archive, and the stand-in base {stand_ins[0]} uses this "
                "machine's own package sources; build with --snapshot off, or on Ubuntu's image."
            )
        return self

    @field_validator("team", "url", "source", "documentation", "vendor", "licenses", "revision")
    @classmethod
    def _is_one_line(cls, value: str, info: ValidationInfo) -> str:
        return on_one_line(f"the setting {info.field_name}", value)

    @field_validator("label")
    @classmethod
    def _are_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for label in value:
            split_label(label)
        return value
