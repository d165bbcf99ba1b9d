# Poetry's dependencies come first; the rest is installed while pip works.
apt-get install pipx python3 python3-pip python3-venv

# pip can install into the system's Python, as on Ubuntu 22.04: in a container nothing else shares that Python. The
# diversion survives upgrades.
for marker in /usr/lib/python3*/EXTERNALLY-MANAGED; do
    if test -e "$marker"; then dpkg-divert --local --rename --add "$marker"; fi
done

# Dockerfiles copy this directory, where pipx installs programs for root, from the build image.
mkdir -p /root/.local/bin

# pip verifies every hash as it downloads; pipx, which cannot, installs from these files only.
install_poetry() {
    export PIP_CACHE_DIR=/mnt/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    python3 -m pip download --quiet --require-hashes --only-binary :all: --no-deps \
        --requirement /run/poetry.lock --dest /tmp/wheels
    export PIPX_HOME=/usr/lib/pipx PIPX_BIN_DIR=/usr/bin PIP_NO_INDEX=1 PIP_FIND_LINKS=/tmp/wheels
    pipx install "poetry==$1"
    rm -rf "$PIPX_HOME/logs" "$PIPX_HOME/.cache" "$PIPX_HOME/trash"
}
install_poetry "$1" >/tmp/poetry.log 2>&1 &
apt-get install build-essential libffi-dev python-is-python3 python3-dev
wait "$!" || { cat /tmp/poetry.log >&2 && exit 1; }
