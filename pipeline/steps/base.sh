apt-get dist-upgrade
# Debian's smallest system has time zones and adduser; Ubuntu's images lack them, adduser since 24.04.
apt-get install adduser ca-certificates tzdata

for edit in "$@"; do "$edit"; done

groupadd --gid 65532 nonroot
useradd --uid 65532 --gid 65532 --create-home --shell /bin/bash --no-log-init nonroot
