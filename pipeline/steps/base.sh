apt-get dist-upgrade
# Debian's smallest system has tzdata, and Ubuntu's image lacks it.
apt-get install ca-certificates tzdata

for edit in "$@"; do "$edit"; done

groupadd --gid 65532 nonroot
useradd --uid 65532 --gid 65532 --create-home --shell /bin/bash --no-log-init nonroot
