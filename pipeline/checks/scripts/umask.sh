# Of a login shell, of an interactive shell, and for useradd and login.
fact "umask of a login shell" "0027" "$(bash -lc umask)"
fact "umask of an interactive shell" "0027" "$(bash -ic umask 2>/dev/null)"
fact "umask and home mode in login.defs" "UMASK 027 HOME_MODE 0750" \
    "$(grep -E '^(UMASK|HOME_MODE)' /etc/login.defs | tr -s '\t ' ' ' | paste -sd ' ')"
fact "files of /etc/skel that others may read" "" "$(find /etc/skel -type f -perm /0037 | paste -sd ' ')"
verdict "0027 in the shells that people start"
