# Package lists are in /run/apt, packages in the cache volume at /mnt; apt, apt-cache and apt-config all read this file.
install -d -o _apt -g root -m 0700 /run/apt/lists/partial /mnt/cache/archives/partial
cat >/mnt/apt.conf <<'END'
Dir::State::lists "/run/apt/lists";
Dir::Cache "/mnt/cache";
Dir::Cache::srcpkgcache "/run/apt/srcpkgcache.bin";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Get::Always-Include-Phased-Updates "true";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
DPkg::Options { "--force-confdef"; "--force-confold"; "--force-unsafe-io"; };
DPkg::Use-Pty "false";
quiet "1";
END
# The host's proxy and certificates, if the engine passes them on.
if [ -n "${APT_CONFIG-}" ]; then echo "#include \"$APT_CONFIG\";" >>/mnt/apt.conf; fi
# Byte code that Python writes while it runs holds times; what packages compile follows SOURCE_DATE_EPOCH.
export APT_CONFIG=/mnt/apt.conf DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1

# The same suites as of a given time. Ubuntu's key signs their indexes on any transport. TLS prevents a replay of an older
# state; it needs certificates, and so starts with the children of ska-base. The image's own sources stay unchanged.
if [ -n "${APT_SNAPSHOT-}" ] && [ ! -e /run/apt/snapshot.list ]; then
    system=$(. /etc/os-release && echo "$ID")
    if [ "$system" != ubuntu ]; then
        echo "The base is $system, and only Ubuntu's packages have snapshots; build with --snapshot off." >&2
        exit 2
    fi
    service=http://snapshot.ubuntu.com/ubuntu
    if [ -s /etc/ssl/certs/ca-certificates.crt ]; then service=https://${service#*//}; fi
    options='signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg check-valid-until=no'
    apt-get indextargets --no-release-info --format "deb [$options] $service/$APT_SNAPSHOT \$(RELEASE) \$(COMPONENT)" \
        'Created-By: Packages' | sort -u >/run/apt/snapshot.list
fi
if [ -e /run/apt/snapshot.list ]; then
    echo 'Dir::Etc::SourceList "/run/apt/snapshot.list"; Dir::Etc::SourceParts "-";' >>/mnt/apt.conf
fi
# Lists that the step mounts are those of its line; an image with other sources needs its own.
targets=$(apt-get indextargets --no-release-info --format '$(URI)')
if [ "$targets" != "$(cat /run/apt/targets 2>/dev/null)" ]; then
    apt-get update
    echo "$targets" >/run/apt/targets
fi
if [ -n "${APT_SNAPSHOT-}" ]; then
    for index in /run/apt/lists/*InRelease; do
        dated=$(sed -n '/^Date: / { s///p; q }' "$index")
        if [ "$(date -u -d "$dated" +%Y%m%d%H%M%S)" -gt "$(echo "$APT_SNAPSHOT" | tr -d TZ)" ]; then
            echo "The index ${index##*/} is of $dated, later than the snapshot $APT_SNAPSHOT:" \
                "the answer did not come from the snapshot service; check the proxy." >&2
            exit 2
        fi
    done
fi
# Otherwise withdrawn packages would stay in the volume forever.
apt-get autoclean
