apt-get dist-upgrade
apt-get install ca-certificates

for edit in "$@"; do "$edit"; done

groupadd --gid 65532 nonroot
useradd --uid 65532 --gid 65532 --create-home --shell /bin/bash --no-log-init nonroot
