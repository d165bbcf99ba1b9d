"""Ways to break what every image has."""

from pipeline.metadata import PATH, PREFIX
from tests.images.sabotage import Sabotage, label, left, shell, stub, variable

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
#: apt compares what dpkg's status file says with what the archive offers. A package that was held back while its
#: update was published looks just so: an older version, and a hold. No archive here still offers the older
#: package itself.
HELD_BACK = r"sed -i '/^Package: libc6$/,/^$/s/^Version: .*/Version: 2.0-1/' /var/lib/dpkg/status; apt-mark hold libc6"
EVERY_SOURCE = "find /etc/apt/sources.list /etc/apt/sources.list.d -type f"

BASE = (
    Sabotage(
        "a value in the metadata file",
        "ska-base",
        "metadata",
        shell(f"sed -i 's/team=.*/team=\"Nobody\"/' {PATH}"),
        rf"label {PREFIX}team: expected 'Nobody' as in {PATH}, found 'System Team'",
    ),
    Sabotage(
        "a label",
        "ska-base",
        "metadata",
        label(f"{PREFIX}url", "elsewhere"),
        rf"label {PREFIX}url: expected 'https://.*' as in {PATH}, found 'elsewhere'",
    ),
    Sabotage(
        "a line of the metadata file", "ska-base", "metadata", shell(f"sed -i /source/d {PATH}"), f"keys of {PATH}"
    ),
    Sabotage("the metadata file", "ska-base", "metadata", shell(f"rm {PATH}"), "metadata cannot be read: "),
    Sabotage(
        "a held-back package", "ska-base", "security-updates", shell(HELD_BACK), r"libc6: expected \S+, found 2.0-1"
    ),
    Sabotage(
        "the package sources",
        "ska-base",
        "security-updates",
        shell(f"{EVERY_SOURCE} -delete"),
        r"package indexes: expected one of a suite like -security\$, found none",
    ),
    Sabotage(
        "the security archive among the sources",
        "ska-base",
        "security-updates",
        shell(f"{EVERY_SOURCE} -exec sed -i /-security/d {{}} +"),
        r"package indexes: expected one of a suite like -security\$, found [a-z]",
    ),
    Sabotage(
        "a package that nobody updates",
        "ska-base",
        "security-updates",
        shell("sed -i 's/^Package: gzip$/Package: gzip-of-ours/' /var/lib/dpkg/status"),
        "installed packages that no index offers: expected nothing, found gzip-of-ours",
    ),
    Sabotage(
        "a certificate of the bundle",
        "ska-base",
        "certificates",
        shell(f"sed -i '1,/END CERTIFICATE/d' {BUNDLE}"),
        "enabled certificates that .* lacks: expected nothing, found .*/mozilla/",
    ),
    Sabotage(
        "the links by hash",
        "ska-base",
        "certificates",
        shell("find /etc/ssl/certs -name '*.[0-9]' -delete"),
        "link by hash to .*: expected yes, found nothing",
    ),
    Sabotage(
        "a link to a certificate that an engine lent",
        "ska-base",
        "certificates",
        shell("ln -s /usr/local/share/ca-certificates/custom-ca.crt /etc/ssl/certs/custom-ca.pem"),
        "links to certificates that lead nowhere: expected nothing, found /etc/ssl/certs/custom-ca.pem",
    ),
    Sabotage(
        "a certificate that an engine lent, in the bundle",
        "ska-base",
        "certificates",
        shell(f"openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=lent 2>/dev/null >>{BUNDLE}"),
        "certificates of the bundle end that are neither enabled nor local: expected nothing, found [0-9]+$",
    ),
    Sabotage(
        "update-ca-certificates",
        "ska-base",
        "certificates",
        stub("/usr/sbin/update-ca-certificates", "done"),
        "the same chain after update-ca-certificates: expected accepted, found rejected",
    ),
    Sabotage("a package list", "ska-base", "leftovers", left("/var/lib/apt/lists/a"), "package lists: .*lists/a"),
    Sabotage("a package", "ska-base", "leftovers", left("/var/cache/apt/archives/a.deb"), r"caches of apt: .*a\.deb"),
    Sabotage("a log", "ska-base", "leftovers", left("/var/log/dpkg.log"), r"logs: .*dpkg\.log"),
    Sabotage("a temporary file", "ska-base", "leftovers", left("/var/tmp/a"), "temporary files: .*/var/tmp/a"),
    Sabotage("a cache of root's", "ska-base", "leftovers", left("/root/.cache/pip/a"), "caches of users: .*pip/a"),
    Sabotage("an old file of a package tool", "ska-base", "leftovers", left("/etc/shadow-"), "kept: .*/etc/shadow-"),
    Sabotage(
        "a proxy of apt",
        "ska-base",
        "leftovers",
        shell("echo 'Acquire::http::Proxy \"http://proxy:3128\";' >/etc/apt/apt.conf.d/proxy"),
        "proxies of apt: .*proxy:3128",
    ),
    Sabotage("a setuid bit", "ska-base", "privileged-files", shell("chmod u+s /usr/bin/mount"), "found /usr/bin/mount"),
    Sabotage(
        "a setgid bit", "ska-base", "privileged-files", shell("chmod g+s /usr/bin/expiry"), "found /usr/bin/expiry"
    ),
    Sabotage(
        "a file that all may write", "ska-base", "world-writable", shell("chmod o+w /etc/group"), "files .*/etc/group"
    ),
    Sabotage(
        "a directory without sticky bit", "ska-base", "world-writable", shell("chmod 0777 /opt"), "directories .*/opt"
    ),
    Sabotage(
        "an account with the number 0",
        "ska-base",
        "accounts",
        shell("echo 'toor:x:0:0::/root:/bin/sh' >>/etc/passwd; echo 'toor::::::::' >>/etc/shadow"),
        r"number 0: expected root, found root toor\n.*without a password: expected nothing, found toor",
    ),
    Sabotage(
        "a password", "ska-base", "accounts", shell("echo root:a-password | chpasswd"), "with a password: .* root"
    ),
    Sabotage(
        "who may read the shadow file", "ska-base", "accounts", shell("chmod 0666 /etc/shadow"), "found 0:666 0:640"
    ),
    Sabotage(
        "a login shell", "ska-base", "accounts", shell("chsh -s /bin/sh games"), "shell: .*, found games nonroot root"
    ),
    Sabotage(
        "who may enter a home", "ska-base", "accounts", shell("chmod 0755 /home/nonroot"), "nonroot's home: .* found 5"
    ),
    Sabotage(
        "a number that two groups have",
        "ska-base",
        "accounts",
        shell("echo 'twin:x:65532:' >>/etc/group"),
        "two groups have: expected nothing, found 65532",
    ),
    Sabotage("an account's group", "ska-base", "accounts", shell("sed -i /^games:/d /etc/group"), "not exist: .* 60"),
    Sabotage(
        "who is in root's group", "ska-base", "accounts", shell("usermod -g 0 games"), "group 0: .* found games root"
    ),
    Sabotage(
        "who may use su", "ska-base", "accounts", shell("usermod -aG sugroup nonroot"), "sugroup: .*, found nonroot"
    ),
    Sabotage("what su asks for", "ska-base", "accounts", shell("sed -i /pam_wheel/d /etc/pam.d/su"), "su asks for a"),
    Sabotage("su", "ska-base", "accounts", stub("/usr/bin/su", "no"), "root becomes by su: expected 65532, found no"),
    Sabotage(
        "whose a file is", "ska-base", "accounts", shell("touch /srv/a; chown 4242 /srv/a"), "no group owns: .* /srv/a"
    ),
    Sabotage(
        "what PATH names", "ska-base", "accounts", variable("PATH", "/usr/bin:/bin:.:/none"), r"none, .* found \. /none"
    ),
    Sabotage(
        "who may fill PATH", "ska-base", "accounts", shell("chmod g+w /usr/local/bin"), "others may write: .*local/bin"
    ),
    Sabotage(
        "the distribution",
        "ska-base",
        "distribution",
        shell("sed -i 's/^VERSION_ID=.*/VERSION_ID=99/' /usr/lib/os-release"),
        "VERSION_ID of /etc/os-release: expected [a-z]+-[0-9.]+, found [a-z]+-99",
    ),
    Sabotage(
        "an account that the line removes",
        "ska-base",
        "unwanted",
        shell("useradd --create-home ubuntu"),
        "account ubuntu: expected nothing, found ubuntu:x:1000:(.|\n)*group ubuntu: (.|\n)*home of ubuntu: ",
    ),
    Sabotage(
        "the umask of a login shell",
        "ska-base",
        "umask",
        shell("echo umask 027 >>/etc/profile"),
        "login shell: .*, found 0027",
    ),
    Sabotage(
        "the umask of an interactive shell",
        "ska-base",
        "umask",
        shell("echo umask 077 >>/etc/bash.bashrc"),
        "interactive shell: .*, found 0077",
    ),
    Sabotage(
        "the umask by su",
        "ska-base",
        "umask",
        shell("echo 'session optional pam_umask.so umask=027' >>/etc/pam.d/su"),
        "by su: .*, found 0027",
    ),
    Sabotage(
        "the mode of new homes", "ska-base", "homes", shell("sed -i s/0750/0755/ /etc/login.defs"), "found .*MODE 0755"
    ),
    Sabotage("adduser", "ska-base", "homes", shell("rm /usr/sbin/adduser"), "adduser: not found"),
    Sabotage(
        "the homes that useradd makes",
        "ska-base",
        "homes",
        shell("sed -i 's/^HOME_MODE/HOME_MODE 0755 #/' /etc/login.defs"),
        "the home of a new user: expected 0, found 5",
    ),
    Sabotage("a file of new homes", "ska-base", "homes", left("/etc/skel/.rc"), "others may read: .*/etc/skel/.rc"),
    Sabotage(
        "what dpkg does with changed configuration",
        "ska-base",
        "configuration",
        shell("rm /etc/dpkg/dpkg.cfg.d/keep-configuration"),
        "conffile prompt",
    ),
    Sabotage(
        "the changes that upgrades must keep",
        "ska-base",
        "configuration",
        shell("echo force-confnew >/etc/dpkg/dpkg.cfg.d/keep-configuration"),
        "an upgrade changed: expected nothing, found .*/etc/login.defs",
    ),
    Sabotage("time zones", "ska-base", "timezones", shell("rm -r /usr/share/zoneinfo/Africa"), r"\+0200, found \+0000"),
    Sabotage(
        "Python's time zones",
        "ska-python",
        "timezones",
        shell("rm /usr/share/zoneinfo/Europe/London"),
        "No time zone found with key Europe/London",
    ),
    Sabotage("the locale's files", "ska-base", "locale", shell("rm -r /usr/lib/locale/C.utf8"), "set: expected UTF-8"),
    Sabotage("the locale's variable", "ska-base", "locale", variable("LANG", "C"), "LANG: expected C.UTF-8, found C"),
    Sabotage(
        "the user's number",
        "ska-base",
        "nonroot",
        shell("sed -i 's/^nonroot:x:65532/nonroot:x:999/' /etc/passwd"),
        "entry in passwd: expected nonroot:x:65532:.*, found nonroot:x:999:",
    ),
    Sabotage("the user", "ska-base", "nonroot", shell("userdel nonroot"), "user 'nonroot' is not in the image"),
    Sabotage("the user's shell", "ska-base", "nonroot", shell("rm /bin/bash"), "its shell's answer: expected 65532"),
    Sabotage(
        "what the user may write", "ska-base", "nonroot", shell("chown nonroot /etc/passwd"), "in /etc: .*/etc/passwd"
    ),
    Sabotage(
        "the size",
        "ska-base",
        "size",
        shell("truncate -s 1G /var/big"),
        "size: expected at most [0-9]+ bytes, found 1[0-9]{9}",
    ),
)
