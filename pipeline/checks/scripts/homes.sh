fact "HOME_MODE in login.defs" "HOME_MODE 0750" "$(grep -E '^HOME_MODE' /etc/login.defs | tr -s '\t ' ' ')"
fact "files of /etc/skel that others may read" "" "$(find /etc/skel -type f -perm /0037 | paste -sd ' ')"
verdict "0750, and files only for their owner"
