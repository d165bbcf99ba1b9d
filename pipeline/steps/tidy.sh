# Dagger's engine adds its own certificate authorities to every step, and removes the files after it. If a package has
# linked or bundled them meanwhile, undo that. /run/image holds the image's own files.
local=/usr/local/share/ca-certificates
lent=$(find "$local" -name '*.crt' 2>/dev/null | while read -r path; do test -e "/run/image$path" || echo "$path"; done)
if [ -n "$lent" ]; then
    find /etc/ssl/certs -type l -lname "$local/*" | while read -r link; do
        test -e "/run/image$(readlink "$link")" || rm "$link"
    done
    find /etc/ssl/certs -xtype l -delete
    openssl rehash /etc/ssl/certs
    mkdir /tmp/certificates
    update-ca-certificates --localcertsdir "/run/image$local" --etccertsdir /tmp/certificates
    cat /tmp/certificates/ca-certificates.crt >/etc/ssl/certs/ca-certificates.crt
fi
# A file that a program wrote again with the same content keeps its time, so that it is not in the layer.
find / -xdev -type f -cnewer /mnt/apt.conf ! -path '/proc/*' | while read -r path; do
    # Almost all of them are new; a process for each would take seconds.
    own="/run/image$path"
    if test -f "$own" && cmp -s "$path" "$own"; then touch --no-create --reference "$own" "$path"; fi
done
# Remove what only this step or this machine needed.
find /tmp /var/tmp /var/lib/apt/lists /var/cache/apt /var/cache/debconf -mindepth 1 \
    \( -path '*/apt/lists/*' -o -path '*/cache/apt/*' -o -path '*/tmp/*' -o -name '*-old' \) -delete
find /var/log -type f -delete
rm -rf /root/.cache /home/nonroot/.cache /var/cache/ldconfig/aux-cache
rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid- \
    /var/lib/dpkg/*-old /var/lib/systemd/random-seed /var/lib/dbus/machine-id
# systemd and dbus generate an identity if the file is empty; two containers must not share one.
if test -e /etc/machine-id; then : >/etc/machine-id; fi
