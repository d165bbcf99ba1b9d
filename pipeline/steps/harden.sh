# The demands of the CIS benchmark that make sense in a container. pipeline/steps/hardening.py lists each function with
# the rules that it satisfies and the check that verifies it.

# A setuid or setgid file gives an ordinary user only a way to become root. su, passwd and their helpers that read the
# shadow file stay: administrators of derived images use them. The overrides survive upgrades.
take_privileges_away() {
    find / -xdev -type f -perm /6000 >/tmp/privileged
    while read -r path; do
        case ${path##*/} in su | passwd | unix_chkpwd | pam_extrausers_chkpwd) continue ;; esac
        # On a merged /usr, dpkg still lists files of /usr/bin under /bin.
        known=$path
        dpkg-query --search "$known" >/dev/null 2>&1 || known=${path#/usr}
        mode=$(stat -c %a "$path")
        dpkg-statoverride --force-statoverride-add --update \
            --add "$(stat -c %U "$path")" "$(stat -c %G "$path")" "0${mode#?}" "$known"
    done </tmp/privileged
}

# The homes of users that derived images add are closed to others.
close_homes() {
    sed -i -E 's/^#?HOME_MODE\s.*/HOME_MODE 0750/' /etc/login.defs
    chmod g-wx,o-rwx /etc/skel/.[!.]*
}

# dpkg would ask about a changed configuration file that has a new version; nobody answers in a build.
keep_configuration() {
    printf '%s\n' force-confdef force-confold >/etc/dpkg/dpkg.cfg.d/keep-configuration
}

# Only members of an empty group may use su, besides root, which needs it in Dockerfiles.
limit_su() {
    groupadd --system sugroup
    sed -i '/^auth\s.*pam_rootok\.so/a auth required pam_wheel.so use_uid group=sugroup' /etc/pam.d/su
}
