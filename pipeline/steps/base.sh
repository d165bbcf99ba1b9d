apt-get dist-upgrade
apt-get install ca-certificates

take_privileges_away
set_umask
close_homes
limit_su

groupadd --gid 65532 nonroot
useradd --uid 65532 --gid 65532 --create-home --shell /bin/bash --no-log-init nonroot
