# What the CIS benchmark asks of a server and means something in a container. pipeline/steps/hardening.py names the rules
# that each function satisfies, and the check that sees that it took effect.

# Whoever is not root gains nothing from these but a way to become it. su and passwd, and what both need to read
# the shadow file, stay: administrators of derived images use them. The overrides outlast upgrades.
take_privileges_away() {
    find / -xdev -type f -perm /6000 >/tmp/privileged
    while read -r path; do
        case ${path##*/} in su | passwd | unix_chkpwd | pam_extrausers_chkpwd) continue ;; esac
        # dpkg still knows by its name in /bin what a merged /usr shows in /usr/bin.
        known=$path
        dpkg-query --search "$known" >/dev/null 2>&1 || known=${path#/usr}
        mode=$(stat -c %a "$path")
        dpkg-statoverride --force-statoverride-add --update \
            --add "$(stat -c %U "$path")" "$(stat -c %G "$path")" "0${mode#?}" "$known"
    done </tmp/privileged
}

# Shells that a person starts make files that others cannot read; steps of a Dockerfile are no such shells.
set_umask() {
    sed -i -E 's/^UMASK\s.*/UMASK 027/' /etc/login.defs
    for file in /etc/profile /etc/bash.bashrc; do echo 'umask 027' >>"$file"; done
}

# Users that derived images add have a home that is theirs alone.
close_homes() {
    sed -i -E 's/^#?HOME_MODE\s.*/HOME_MODE 0750/' /etc/login.defs
    chmod g-wx,o-rwx /etc/skel/.[!.]*
}

# su is for a group without members: nobody but root, as in a Dockerfile, becomes another user by it.
limit_su() {
    groupadd --system sugroup
    sed -i '/^auth\s.*pam_rootok\.so/a auth required pam_wheel.so use_uid group=sugroup' /etc/pam.d/su
}
