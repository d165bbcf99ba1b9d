# A Dockerfile may choose any shell, and become another user. $1 is what su leaves.
fact "umask of a step" "0022" "$(umask)"
fact "umask of a login shell" "0022" "$(bash -lc umask)"
fact "umask of an interactive shell" "0022" "$(bash -ic umask 2>/dev/null)"
fact "umask by su" "$1" "$(su nonroot -c umask)"
verdict "0022 in every shell, $1 by su"
