# $1 is the lock. The project's directory is the current one.
case $1 in
uv.lock) uv sync --quiet --locked ;;
poetry.lock) POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_VIRTUALENVS_CREATE=1 poetry install --quiet --no-interaction ;;
esac
