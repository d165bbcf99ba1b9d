#!/bin/sh
# Runs the tests as root, because they mount file systems and make files of any owner: as it stands for root, through
# sudo otherwise. What they leave in this directory belongs to the user again.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" = 0 ]; then
    exec "$@"
fi
if ! command -v sudo >/dev/null; then
    echo "as-root: '$1' needs root to mount file systems and to give files away, and sudo is not here; run this as root" >&2
    exit 2
fi
echo "as-root: running '$*' through sudo: it mounts file systems and gives files away" >&2

# The settings that this project and the machine's own network need; nothing else of the user's environment.
keep=PYTHONDONTWRITEBYTECODE
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
    case "$name" in
    SKA_* | DAGGER_* | PIP_* | SSL_CERT_* | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE | NO_COLOR | \
        *_PROXY | *_proxy) keep="$keep,$name" ;;
    esac
done
export PYTHONDONTWRITEBYTECODE=1
code=0
sudo --preserve-env="$keep" "$@" || code=$?
sudo find . -xdev -path ./.git -prune -o -user 0 -exec chown -h "$(id -u):$(id -g)" {} +
exit "$code"
