"""Private package indexes: who may read them, and packages that have to be compiled."""

import base64
import functools
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger
import pytest
from dagger import dag

from pipeline.build.inputs import Build
from pipeline.errors import AppError, GateError
from tests.app.conftest import PYPROJECT, ProjectFiles, built_app
from tests.registry import host_service

PASSWORD = "s3cret-of-the-index"  # noqa: S105  of an index that lives as long as a test
#: A package without a wheel, whose only module asks a library of the distribution for its version.
SOURCE_OF_A_COMPILED_PACKAGE = {
    "setup.py": "from setuptools import Extension, setup\n"
    "where = ['/usr/include/postgresql']\n"
    "extension = Extension('library', ['library.c'], include_dirs=where, libraries=['pq'])\n"
    "setup(name='library', version='1.0', ext_modules=[extension])\n",
    "library.c": "#include <Python.h>\n#include <libpq-fe.h>\n"
    "static PyObject *version(PyObject *self, PyObject *none) { return PyLong_FromLong(PQlibVersion()); }\n"
    'static PyMethodDef methods[] = {{"version", version, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};\n'
    'static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "library", "", -1, methods};\n'
    "PyMODINIT_FUNC PyInit_library(void) { return PyModule_Create(&module); }\n",
    "PKG-INFO": "Metadata-Version: 2.1\nName: library\nVersion: 1.0\n",
}


class LoginRequired(http.server.SimpleHTTPRequestHandler):
    """A package index that demands a login."""

    def do_GET(self) -> None:
        expected = "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Keep the output of the tests clean."""


@dataclass(frozen=True)
class PrivateIndex:
    """A running index.

    Args:
        host: with its port.
        digests: SHA-256 of its packages, by their names.
    """

    host: str
    digests: Mapping[str, str]

    def project(self, project: ProjectFiles, name: str, expression: str) -> ProjectFiles:
        """Return a project that depends on one of the packages, and prints an expression about it."""
        pyproject = f'{PYPROJECT}\n[[tool.uv.index]]\nname = "observatory"\nurl = "http://{self.host}/simple"\n'
        return project.with_files(
            {
                "pyproject.toml": pyproject,
                "uv.lock": None,
                "requirements.txt": f"{name}==1.0 --hash=sha256:{self.digests[name]}\n",
                "src/readings/__init__.py": f"import {name}\n\n\ndef main() -> None:\n    print({expression})\n",
            }
        )

    @property
    def login(self) -> dagger.Secret:
        """A netrc that opens it."""
        return dag.set_secret("netrc", f"machine {self.host.partition(':')[0]} login reader password {PASSWORD}\n")


@pytest.fixture
def private_index(tmp_path: Path) -> Iterator[PrivateIndex]:
    """An index that demands a login, with a wheel and a source distribution."""
    wheel = tmp_path / "simple/observatory/observatory-1.0-py3-none-any.whl"
    source = tmp_path / "simple/library/library-1.0.tar.gz"
    for file, write in ((wheel, _write_wheel), (source, _write_source)):
        file.parent.mkdir(parents=True)
        write(file)
        (file.parent / "index.html").write_text(f'<a href="{file.name}">{file.name}</a>')
    digests = {file.parent.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (wheel, source)}
    host = host_service()
    handler = functools.partial(LoginRequired, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(host.rpartition(":")[2])), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield PrivateIndex(host, digests)
        server.shutdown()


def _write_wheel(file: Path) -> None:
    info = "observatory-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("observatory.py", "NAME = 'observatory'\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: observatory\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "observatory.py,,\n")


def _write_source(file: Path) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, text in SOURCE_OF_A_COMPILED_PACKAGE.items():
            entry = tarfile.TarInfo(f"library-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


async def test_without_its_login_the_remedy_is_named(
    project: ProjectFiles, build: Build, private_index: PrivateIndex
) -> None:
    order = private_index.project(project, "observatory", "observatory.NAME").order()
    with pytest.raises(AppError) as raised:
        await built_app(order, build)
    assert str(raised.value).splitlines()[0] == (
        f"The package index {private_index.host} demands a login; give one with --netrc, as in --netrc file://~/.netrc."
    )


async def test_its_login_is_nowhere_in_the_image(
    project: ProjectFiles, build: Build, private_index: PrivateIndex
) -> None:
    order = private_index.project(project, "observatory", "observatory.NAME").order(netrc=private_index.login)
    container = await built_app(order, build)
    assert await container.with_exec([], use_entrypoint=True).stdout() == "observatory\n"
    searched = build.workbench.container.with_mounted_directory("/mnt", container.rootfs())
    assert await searched.with_exec(["sh", "-c", f"grep -rl {PASSWORD} /mnt || true"]).stdout() == ""
    assert "NETRC" not in {await variable.name() for variable in await container.env_variables()}


async def test_a_package_that_lacks_a_library_to_build_with_names_the_remedy(
    project: ProjectFiles, build: Build, private_index: PrivateIndex
) -> None:
    order = private_index.project(project, "library", "library.version()").order(netrc=private_index.login)
    with pytest.raises(AppError) as raised:
        await built_app(order, build)
    assert str(raised.value).splitlines()[0] == (
        "library cannot be built in the build image; give the packages that it needs with --build-apt, as in "
        "--build-apt libpq-dev."
    )


async def test_a_library_that_the_image_lacks_is_a_problem(
    project: ProjectFiles, build: Build, private_index: PrivateIndex
) -> None:
    order = private_index.project(project, "library", "library.version()")
    with pytest.raises(GateError, match=r"FAIL +app-environment +.*libpq\.so\.5; add its package with --apt"):
        await built_app(order.order(netrc=private_index.login, build_apt=("libpq-dev",)), build)


async def test_a_library_of_the_distribution_is_used(
    project: ProjectFiles, build: Build, private_index: PrivateIndex
) -> None:
    order = private_index.project(project, "library", "library.version() > 100000")
    packages = {"build_apt": ("libpq-dev",), "apt": ("libpq5",)}
    container = await built_app(order.order(netrc=private_index.login, **packages), build)
    assert await container.with_exec([], use_entrypoint=True).stdout() == "True\n"
