# A project with a dependency, which the lock names by its hash; no index is used.
mkdir wheel wheel/probe-1.dist-info project
printf 'import sys\ndef main():\n    print(sys.prefix)\n' >wheel/probe.py
printf 'Metadata-Version: 2.1\nName: probe\nVersion: 1\n' >wheel/probe-1.dist-info/METADATA
printf 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' >wheel/probe-1.dist-info/WHEEL
printf '[console_scripts]\nprobe = probe:main\n' >wheel/probe-1.dist-info/entry_points.txt
(cd wheel && find . -type f | sed 's|^\./||; s|$|,,|' >record && echo probe-1.dist-info/RECORD,, >>record && \
    mv record probe-1.dist-info/RECORD && python3 -m zipfile -c ../project/probe-1-py3-none-any.whl *)
cd project
cat >pyproject.toml <<'END'
[project]
name = "application"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["probe"]
[tool.uv]
package = false
[tool.uv.sources]
probe = { path = "probe-1-py3-none-any.whl" }
END
uv lock --offline >log 2>&1 || { cat log >&2; exit 1; }
uv sync --offline --locked --no-dev >log 2>&1 || { cat log >&2; exit 1; }
fact "warnings" "" "$(grep -i warning log)"
fact "the environment that the installed program runs in" "$PWD/.venv" "$(.venv/bin/probe 2>&1)"
fact "the environment's Python" "$(readlink -f /usr/bin/python3)" "$(readlink -f .venv/bin/python)"
verdict "in .venv"
