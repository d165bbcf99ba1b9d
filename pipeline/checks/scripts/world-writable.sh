find / -xdev \( -type f -o -type d ! -perm -1000 \) -perm -0002 -printf '%y %p\n' >found
fact "files that everyone may write" "" "$(echo $(sed -n 's/^f //p' found))"
fact "directories that everyone may write, without the sticky bit" "" "$(echo $(sed -n 's/^d //p' found))"
verdict "none, but sticky directories"
