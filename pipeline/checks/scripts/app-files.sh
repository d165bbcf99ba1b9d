fact "files that the user cannot read" "" "$(find /src ! -readable 2>&1 | head -n 5 | tr '\n' ' ')"
fact "files that the user can change" "" "$(find /src ! -type l -writable | head -n 5 | tr '\n' ' ')"
verdict "$(find /src -type f | wc -l) files that the user can read and not change"
