# Environments as Dockerfiles make them, at $1 by uv, at $2 by Poetry, at $3 by venv and pip. They hold a dependency with
# a compiled module and a program; no index is used. The image's pip fills the last one, since that of an environment
# takes seconds to arrive, and the check `venv` looks at it.
cat >compiled.c <<'END'
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "compiled", "", -1, methods};
PyMODINIT_FUNC PyInit_compiled(void) { return PyModule_Create(&module); }
END
cc -shared -fPIC $(python3-config --includes) -o "compiled$(python3-config --extension-suffix)" compiled.c
cat >pack.py <<'END'
import base64, hashlib, sys, sysconfig, zipfile
from pathlib import Path

version = "cp%d%d" % sys.version_info[:2]
tag = f"{version}-{version}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
files = {path.name: path.read_bytes() for path in Path().glob("compiled.*.so")}
files["program.py"] = b"import sys, compiled\ndef main():\n    print(compiled.answer(), sys.prefix)\n"
files["probe-1.dist-info/METADATA"] = b"Metadata-Version: 2.1\nName: probe\nVersion: 1\n"
files["probe-1.dist-info/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
files["probe-1.dist-info/entry_points.txt"] = b"[console_scripts]\nanswer = program:main\n"
digests = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=") for name, data in files.items()}
lines = [f"{name},sha256={digests[name].decode()},{len(data)}" for name, data in files.items()]
files["probe-1.dist-info/RECORD"] = "\n".join([*lines, "probe-1.dist-info/RECORD,,", ""]).encode()
with zipfile.ZipFile(f"probe-1-{tag}.whl", "w") as wheel:
    for name, data in files.items():
        wheel.writestr(name, data)
print(f"{Path().absolute()}/probe-1-{tag}.whl")
END
wheel=$(python3 -B pack.py)
cat >pyproject.toml <<END
[project]
name = "application"
version = "1"
requires-python = ">=3.10"
dependencies = ["probe @ file://$wheel"]
[tool.poetry]
package-mode = false
[tool.uv]
package = false
END
made() { # DIRECTORY COMMAND…
    cd "$1"
    shift
    "$@" >log 2>&1 || { cat log >&2; exit 1; }
    rm log
}
uv=${1%/*} poetry=${2%/*} venv=${3%/*}
mkdir -p "$uv" "$poetry" "$venv"
cp pyproject.toml "$uv"
cp pyproject.toml "$poetry"
made "$uv" uv sync --offline
made "$poetry" poetry install --no-root --no-ansi
made "$venv" python3 -m venv --without-pip "$3"
made "$venv" "$3/bin/python" "$(cat /usr/lib/python3/dist-packages/pip.pth)/pip" install --no-index "$wheel"
