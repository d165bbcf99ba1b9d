# Lists and packages stay in the cache volume at /mnt; apt, apt-cache and apt-config all read this file.
install -d -o _apt -g root -m 0700 /mnt/lists/partial /mnt/cache/archives/partial
cat >/mnt/apt.conf <<'END'
Dir::State::lists "/mnt/lists";
Dir::Cache "/mnt/cache";
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
# Byte code that Python writes while it runs holds times; what packages compile follows SOURCE_DATE_EPOCH.
export APT_CONFIG=/mnt/apt.conf DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1
apt-get update
# A package that is no longer offered would stay in the volume for ever.
apt-get autoclean
