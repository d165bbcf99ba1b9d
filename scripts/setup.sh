#!/bin/sh
# Installs what this project needs and this machine does not have: host packages with apt-get, Python packages into
# .venv from requirements-dev.lock. Says what it installs; does nothing when all is in place.
#   scripts/setup.sh           what `make build-all` needs
#   scripts/setup.sh --tests   what `make test` needs beyond that
# PYTHON chooses the interpreter of .venv (3.10 or later; default: the first one found that fits).
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# command=package, or file=package: the package is installed where the command or the file is not found.
HOST="runc=runc slirp4netns=slirp4netns skopeo=skopeo mmdebstrap=mmdebstrap unshare=util-linux flock=util-linux mount=mount
      gpgv=gpgv update-ca-certificates=ca-certificates
      /usr/share/containers/seccomp.json=golang-github-containers-common"
# What the engine of anyone but root is started with, and so its tests.
USER_HOST="newuidmap=uidmap"
TEST_HOST="docker-registry=docker-registry buildah=buildah umoci=umoci zstd=zstd openssl=openssl git=git curl=curl $USER_HOST
           pasta=passt chromium=chromium gpg=gpg gpg-agent=gpg-agent gpgconf=gpgconf apt-ftparchive=apt-utils
           faketime=faketime mkfs.xfs=xfsprogs mkfs.ext4=e2fsprogs"
STAMP=.venv/setup-stamp

stop() {
    echo "setup: $*" >&2
    exit 1
}

case "${1-}" in
'') if [ "$(id -u)" != 0 ]; then HOST="$HOST $USER_HOST"; fi ;;
--tests) HOST="$HOST $TEST_HOST" ;;
*) stop "unknown argument '$1'; it takes --tests or nothing" ;;
esac

missing_packages() {
    for pair in $HOST; do
        command -v "${pair%%=*}" >/dev/null || [ -f "${pair%%=*}" ] || printf '%s ' "${pair#*=}"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Shows the output of a program only if it fails.
quietly() {
    output=$("$@" 2>&1) || {
        echo "$output" >&2
        return 1
    }
}

apt_install() {
    [ "$#" -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        stop "apt-get is not here and this is missing: $*; install it with this system's package manager"
    how=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            stop "this is missing and takes root or sudo to install: $*; have root run 'apt-get install $*'"
        how=' through sudo'
    fi
    echo "setup: installing with apt-get$how: $*" >&2
    # One set-up at a time: apt waits for its install lock, but fails at once on the lock of its lists.
    exec 8</var/lib/dpkg/status
    if command -v flock >/dev/null; then flock 8; fi
    quietly as_root apt-get update -qq ||
        echo "setup: apt-get update failed; going on with the package lists that are here" >&2
    # The tests start a registry of their own; the package's service is not wanted on this machine.
    case " $* " in *' docker-registry '*)
        if [ -d /run/systemd/system ]; then quietly as_root systemctl mask docker-registry.service; fi ;;
    esac
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 "$@" ||
        stop "apt-get could not install $*; its own message stands above (it needs this machine's package sources)"
    exec 8<&-
}

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10}; do
        if command -v "$candidate" >/dev/null && fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# The distribution's packages that the making of .venv takes.
missing_python() {
    if packages_in_place; then return; fi
    python=$(find_python)
    if [ -n "$python" ]; then
        "$python" -c 'import ensurepip' 2>/dev/null ||
            "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    elif [ -z "${PYTHON-}" ] && ! command -v python3 >/dev/null; then
        echo python3 python3-venv
    fi
}

# What the packages of .venv depend on. Its scripts hold its absolute path, so a moved checkout counts as changed.
inputs() {
    pwd
    sha256sum requirements-dev.lock
}

packages_in_place() {
    [ -r "$STAMP" ] && [ -x .venv/bin/python ] || return 1
    [ "$(sed 1,2d "$STAMP")" = "$(inputs)" ] || return 1
    { read -r requested && read -r binary; } <"$STAMP"
    [ "$binary" = "$(readlink -f .venv/bin/python)" ] || return 1
    [ -z "${PYTHON-}" ] || [ "$requested" = "PYTHON=$PYTHON" ]
}

project_in_place() {
    [ -r "$STAMP.project" ] && sha256sum --check --status "$STAMP.project"
}

pip_install() {
    .venv/bin/python -m pip install -q --disable-pip-version-check "$@" ||
        stop "pip could not fill .venv; its own message stands above ('pip config list' shows which index it asks)"
}

# uv takes a fifth of pip's time, but not all of pip's settings; where it fails, pip explains why, or succeeds.
uv_install() {
    index=${PIP_INDEX_URL-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    env ${index:+"UV_DEFAULT_INDEX=$index"} UV_SYSTEM_CERTS=1 .venv/bin/uv pip install -q --python .venv/bin/python \
        --compile-bytecode "$@" >/dev/null 2>&1 || pip_install "$@"
}

# Stamps are written last: an interrupted installation has none and is made again.
install_packages() {
    python=$(find_python)
    [ -n "$python" ] ||
        stop "${PYTHON:-python3} is no Python 3.10 or later; name one that is: PYTHON=/path/to/python3"
    echo "setup: installing the Python packages of requirements-dev.lock into .venv ($("$python" -V))" >&2
    rm -f "$STAMP"
    "$python" -m venv --clear .venv
    sed -n '/^uv==/,/[^\\]$/p' requirements-dev.lock >.venv/uv.lock
    pip_install --require-hashes -r .venv/uv.lock
    uv_install --require-hashes -r requirements-dev.lock
    { echo "PYTHON=${PYTHON-}" && readlink -f .venv/bin/python && inputs; } >"$STAMP.new"
    mv "$STAMP.new" "$STAMP"
}

install_project() {
    echo "setup: installing this project into .venv, editable" >&2
    uv_install --no-deps --no-build-isolation -e engine -e .
    sha256sum pyproject.toml engine/pyproject.toml >"$STAMP.project"
}

# shellcheck disable=SC2046  # package names hold no spaces
apt_install $(missing_packages) $(missing_python)
if ! { packages_in_place && project_in_place; }; then
    exec 9<pyproject.toml
    flock 9
    packages_in_place || install_packages
    project_in_place || install_project
fi
