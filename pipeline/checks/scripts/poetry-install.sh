mkdir project project/probe
cd project
cat >pyproject.toml <<'END'
[project]
name = "probe"
version = "1.0"
requires-python = ">=3.10"
scripts = { probe = "probe:main" }
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
END
printf 'import sys\ndef main():\n    print(sys.prefix)\n' >probe/__init__.py
poetry install --no-ansi >log 2>&1 || { cat log >&2; exit 1; }
fact "the environment that the installed program runs in" "$PWD/.venv" "$(.venv/bin/probe 2>&1)"
verdict "in .venv"
