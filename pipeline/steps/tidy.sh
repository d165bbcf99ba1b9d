# Nothing that only this step or this machine needed stays in the image.
find /tmp /var/tmp /var/lib/apt/lists /var/cache/apt /var/cache/debconf -mindepth 1 \
    \( -path '*/apt/lists/*' -o -path '*/cache/apt/*' -o -path '*/tmp/*' -o -name '*-old' \) -delete
find /var/log -type f -delete
rm -rf /root/.cache /home/nonroot/.cache /var/cache/ldconfig/aux-cache
rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid- \
    /var/lib/dpkg/*-old /var/lib/systemd/random-seed /var/lib/dbus/machine-id
# systemd and dbus make a new identity where the file is empty; two containers must not share one.
if test -e /etc/machine-id; then : >/etc/machine-id; fi
