"""What pyproject.toml says of a project.

Source: https://packaging.python.org/en/latest/specifications/pyproject-toml/
"""

import re
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import AppError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "pyproject.toml"
#: https://packaging.python.org/en/latest/specifications/name-normalization/
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class _Table(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True, frozen=True)


class _Named(_Table):
    name: str = ""
    version: str = ""
    description: str = ""
    scripts: dict[str, Any] = Field(default_factory=dict)


class _Project(_Named):
    urls: dict[str, str] = Field(default_factory=dict)


class _Index(_Table):
    name: str = ""
    url: str


class _Uv(_Table):
    package: bool = True
    index: list[_Index] = Field(default_factory=list)


class _Poetry(_Named):
    package_mode: bool = Field(default=True, alias="package-mode")
    source: list[_Index] = Field(default_factory=list)


class _App(_Table):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    team: str = ""
    url: str = ""
    source: str = ""


class _Own(_Table):
    app: _App = _App()


class _Tool(_Table):
    uv: _Uv = _Uv()
    poetry: _Poetry = _Poetry()
    ska_images: _Own = Field(default=_Own(), alias="ska-images")


class _Pyproject(_Table):
    project: _Project = _Project()
    tool: _Tool = _Tool()
    build_system: dict[str, Any] | None = Field(default=None, alias="build-system")


class PythonProject:
    """A Python project.

    Args:
        text: the content of its pyproject.toml.

    Raises:
        AppError: the text is not a pyproject.toml that names a project.
    """

    def __init__(self, text: str) -> None:
        self._read = _parse(text)
        if not _NAME.fullmatch(self.name):
            raise AppError(f"{FILE} names the project {self.name!r}; give it a name of letters, digits, '.', '-', '_'.")
        for index in self.indexes.values():
            if urlsplit(index).password is not None or urlsplit(index).username is not None:
                raise AppError(f"{FILE} holds the credentials of a package index; remove them, and give --netrc.")

    @property
    def name(self) -> str:
        """Its name."""
        return self._read.project.name or self._read.tool.poetry.name

    @property
    def version(self) -> str:
        """Its version; empty where the build backend computes it."""
        return self._read.project.version or self._read.tool.poetry.version

    @property
    def description(self) -> str:
        """Its description, one line; empty where it has none."""
        return " ".join((self._read.project.description or self._read.tool.poetry.description).split())

    @property
    def scripts(self) -> tuple[str, ...]:
        """The names of its console scripts."""
        return tuple(self._read.project.scripts or self._read.tool.poetry.scripts)

    @property
    def is_package(self) -> bool:
        """Whether it is installed as a package, rather than run from its source."""
        tool = self._read.tool
        return self._read.build_system is not None and tool.uv.package and tool.poetry.package_mode

    @property
    def indexes(self) -> Mapping[str, str]:
        """The addresses of its package indexes by their names."""
        listed = [*self._read.tool.uv.index, *self._read.tool.poetry.source]
        return {index.name or f"index{number}": index.url for number, index in enumerate(listed)}

    @property
    def declared(self) -> Mapping[str, str]:
        """What it says of team, url and source; keys that it does not name are left out."""
        urls = {re.sub(r"[\W_]", "", label).lower(): url for label, url in self._read.project.urls.items()}
        app = self._read.tool.ska_images.app
        found = {
            "team": app.team,
            "url": app.url or urls.get("documentation", "") or urls.get("homepage", ""),
            "source": app.source or urls.get("source", "") or urls.get("repository", ""),
        }
        return {key: value for key, value in found.items() if value}


def _parse(text: str) -> _Pyproject:
    try:
        return _Pyproject.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AppError(f"{FILE} is not TOML ({error}); correct it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise AppError(f"{FILE} is not valid at {place} ({first['msg']}); correct it.") from error
