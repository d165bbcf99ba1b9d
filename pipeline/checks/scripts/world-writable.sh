fact "files that everyone may write" "" "$(echo $(find / -xdev -type f -perm -0002))"
fact "directories that everyone may write, without the sticky bit" "" \
    "$(echo $(find / -xdev -type d -perm -0002 ! -perm -1000))"
verdict "none, but sticky directories"
