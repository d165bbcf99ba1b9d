fact "HOME_MODE in login.defs" "HOME_MODE 0750" "$(grep -E '^HOME_MODE' /etc/login.defs | tr -s '\t ' ' ')"
fact "files of /etc/skel that others may read" "" "$(find /etc/skel -type f -perm /0037 | paste -sd ' ')"
# Dockerfiles use either program.
adduser --disabled-password --gecos '' first >log 2>&1 || cat log >&2
useradd --create-home second
for name in first second; do
    fact "what others may do in the home of a new user" "0" "$(stat -c %a "/home/$name" 2>&1 | tail -c 2)"
done
verdict "0750, and files only for their owner"
