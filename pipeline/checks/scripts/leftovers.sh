found() { find "$@" 2>/dev/null | grep -v -x -e "$work" | sort | head -n 10 | tr '\n' ' ' | sed 's/ $//'; }
fact "package lists" "" "$(found /var/lib/apt/lists -type f)"
fact "packages and caches of apt" "" "$(found /var/cache/apt -type f)"
fact "logs" "" "$(found /var/log -type f)"
fact "temporary files" "" "$(found /tmp /var/tmp -mindepth 1)"
fact "caches of users" "" "$(found /root/.cache /home/*/.cache -type f)"
fact "files that package tools kept" "" "$(found /etc /var/lib/dpkg /var/cache/debconf -name '*-old' -o -name '*.dpkg-old' \
    -o -name '*.dpkg-new' -o -name '*.dpkg-tmp' -o -path '/etc/*-' -type f)"
fact "the linker's cache of this machine" "" "$(found /var/cache/ldconfig -type f)"
fact "the machine's identity" "" "$(cat /etc/machine-id /var/lib/dbus/machine-id 2>/dev/null || true)"
fact "proxies of apt" "" "$(apt-config dump | grep -i '::proxy' || true)"
verdict "nothing is left"
