# OpenSCAP takes these rules for inapplicable where no kernel package is installed.
names() { awk -F: "$1" "$2" | sort | paste -sd ' '; }
fact "accounts with the number 0" "root" "$(names '$3 == 0 {print $1}' /etc/passwd)"
fact "accounts without a password" "" "$(names '$2 == "" {print $1}' /etc/shadow)$(names '$2 != "x" {print $1}' /etc/passwd)"
fact "accounts with a password" "" "$(names '$2 !~ /^[!*]/ && $2 != "" {print $1}' /etc/shadow)"
fact "names and numbers that two accounts have" "" \
    "$(cut -d: -f1 /etc/passwd | sort | uniq -d | paste -sd ' ')$(cut -d: -f3 /etc/passwd | sort | uniq -d | paste -sd ' ')"
fact "names and numbers that two groups have" "" \
    "$(cut -d: -f1 /etc/group | sort | uniq -d | paste -sd ' ')$(cut -d: -f3 /etc/group | sort | uniq -d | paste -sd ' ')"
fact "groups of accounts that do not exist" "" \
    "$(cut -d: -f4 /etc/passwd | while read -r number; do grep -q "^[^:]*:[^:]*:$number:" /etc/group || echo "$number"; done | paste -sd ' ')"
fact "accounts with the group 0" "root" "$(names '$4 == 0 {print $1}' /etc/passwd)"
fact "members of the groups root, shadow and sugroup" "" \
    "$(awk -F: '($1 == "root" || $1 == "shadow" || $1 == "sugroup") && $4 != "" {print $4}' /etc/group | paste -sd ' ')"
fact "files that no account or no group owns" "" "$(find / -xdev \( -nouser -o -nogroup \) | head -n 10 | paste -sd ' ')"
fact "access to the shadow files" "0:640 0:640" "$(stat -c %u:%a /etc/shadow /etc/gshadow | paste -sd ' ')"

# A login shell is one that /etc/shells names.
while IFS=: read -r name _ number _ _ home shell; do
    if ! grep -qxF "$shell" /etc/shells; then continue; fi
    echo "$name" >>shells
    fact "owner of $name's home" "$number" "$(stat -c %u "$home" 2>&1)"
    others=$(stat -c %a "$home" 2>&1 | tail -c 2)
    # PATH of the build images leads through root's home; others see nothing in it.
    case $name:$others:$PATH in root:1:/root/*) others=0 ;; esac
    fact "what others may do in $name's home" "0" "$others"
done </etc/passwd
fact "accounts with a login shell" "nonroot root" "$(sort shells | paste -sd ' ')"

# PAM decides: root becomes nonroot, and a user other than root becomes no one else.
fact "whom su asks for a group" "use_uid group=sugroup" "$(sed -n 's/^auth\s*required\s*pam_wheel\.so\s*//p' /etc/pam.d/su)"
fact "what root becomes by su" "65532" "$(su nonroot -c 'id -u' 2>&1)"

# Only root may write to the directories of its PATH.
echo "$PATH" | tr : '\n' | while read -r directory; do
    case $directory in /*) ;; *) echo "${directory:-(empty)}" && continue ;; esac
    find -H "$directory" -maxdepth 0 -type d -uid 0 ! -perm /022 2>/dev/null | grep -q . || echo "$directory"
done >unsafe
fact "directories of PATH that are none, or that others may write" "" "$(paste -sd ' ' unsafe)"
verdict "root alone has the number 0; no password, and no login but of root and nonroot"
