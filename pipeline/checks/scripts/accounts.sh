# What a scanner cannot see where there is no kernel package: OpenSCAP takes these rules for inapplicable there.
names() { awk -F: "$1" "$2" | sort | paste -sd ' '; }
fact "accounts with the number 0" "root" "$(names '$3 == 0 {print $1}' /etc/passwd)"
fact "accounts without a password" "" "$(names '$2 == "" {print $1}' /etc/shadow)$(names '$2 != "x" {print $1}' /etc/passwd)"
fact "accounts with a password" "" "$(names '$2 !~ /^[!*]/ && $2 != "" {print $1}' /etc/shadow)"
fact "names and numbers that two accounts have" "" \
    "$(cut -d: -f1 /etc/passwd | sort | uniq -d | paste -sd ' ')$(cut -d: -f3 /etc/passwd | sort | uniq -d | paste -sd ' ')"
fact "access to the shadow files" "0:640 0:640" "$(stat -c %u:%a /etc/shadow /etc/gshadow | paste -sd ' ')"

# A login shell is one that /etc/shells names.
while IFS=: read -r name _ number _ _ home shell; do
    if ! grep -qxF "$shell" /etc/shells; then continue; fi
    echo "$name" >>shells
    fact "owner of $name's home" "$number" "$(stat -c %u "$home" 2>&1)"
    fact "what others may do in $name's home" "0" "$(stat -c %a "$home" 2>&1 | tail -c 2)"
done </etc/passwd
fact "accounts with a login shell" "nonroot root" "$(sort shells | paste -sd ' ')"
verdict "root alone has the number 0; no password, and no login but of root and nonroot"
