# Poetry's dependencies come first; the rest is installed while pip works.
apt-get install python3 python3-venv

# Debian's package of pip would bring setuptools and wheel, and pip would leave these out of an application that is later
# copied to an image without them. The wheel that python3-venv brings is the same pip; apt updates it.
wheel=$(echo /usr/share/python-wheels/pip-*.whl)
echo "$wheel" >/usr/lib/python3/dist-packages/pip.pth

# Dockerfiles copy this directory, where pipx installs programs for root, from the build image.
mkdir -p /root/.local/bin
# PATH begins there. If other users could not pass through, "permission denied" would be what they are told of any
# program that does not exist, instead of "not found": execvp(3).
chmod 0711 /root
# The home of users without a passwd entry is /: https://docs.docker.com/engine/containers/run/#environment-variables
install -d -m 1777 /.cache /.config /.local

# Starts a program with a home, which Dagger does not set: $1 is its name in PATH, $2 the program, $3 its first argument.
launcher() {
    cat >"/usr/bin/$1" <<END
#!/bin/sh
if [ -z "\${HOME-}" ]; then
    HOME=\$(getent passwd "\$(id -u)" | cut -d: -f6)
    export HOME="\${HOME:-/}"
fi
exec $2 "\$@"
END
    chmod 0755 "/usr/bin/$1"
}
launcher pip '/usr/bin/python3 -m pip'
ln -s pip /usr/bin/pip3

# Each program has an environment of its own, so that the system's Python shows none of their packages. pip verifies uv
# against the lock; uv verifies all others, and is many times faster.
install_python_tools() {
    lock=/run/python-tools.lock
    for program in uv pipx; do sed -n "/^$program==/,/[^\\\\]\$/p" $lock >/tmp/$program.lock; done
    python3 -m venv --without-pip /tmp/bootstrap
    export PIP_CACHE_DIR=/mnt/pip PIP_DISABLE_PIP_VERSION_CHECK=1
    PYTHONPATH="$wheel" /tmp/bootstrap/bin/python -m pip install --no-compile --require-hashes --only-binary :all: \
        --no-deps --requirement /tmp/uv.lock

    # uv does not read pip's settings.
    index=$(pip config get global.index-url 2>/dev/null || true)
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
    export UV_CACHE_DIR=/mnt/uv UV_CONSTRAINT=$lock UV_REQUIRE_HASHES=1 UV_NO_BUILD=1 UV_COMPILE_BYTECODE=1 \
        UV_SYSTEM_CERTS=1 PATH="/tmp/bootstrap/bin:$PATH"
    export PIPX_HOME=/usr/lib/pipx PIPX_BIN_DIR=/tmp/bin PIPX_DEFAULT_BACKEND=uv
    uv venv "$PIPX_HOME/venvs/pipx"
    uv pip install --python "$PIPX_HOME/venvs/pipx" --requirements /tmp/pipx.lock
    pipx="$PIPX_HOME/venvs/pipx/bin/pipx"
    "$pipx" install "poetry==$1"
    "$pipx" inject poetry "poetry-plugin-export==$2"
    "$pipx" install "uv==$3"
    rm -rf "$PIPX_HOME"/venvs/*/.lock "$PIPX_HOME/logs" "$PIPX_HOME/.cache" "$PIPX_HOME/trash" "$PIPX_HOME/py"
    for program in pipx poetry uv; do
        launcher "$program" "$PIPX_HOME/venvs/$program/bin/$program"
    done
    # The program uvx only starts this command, and would list all crates of uv a second time.
    rm "$PIPX_HOME/venvs/uv/bin/uvx"
    launcher uvx "$PIPX_HOME/venvs/uv/bin/uv tool uvx"
}
install_python_tools "$@" >/tmp/python-tools.log 2>&1 &
apt-get install build-essential curl libffi-dev python-is-python3 python3-dev
wait "$!" || { cat /tmp/python-tools.log >&2 && exit 1; }
