# What is built on another distribution would carry the wrong name, and the wrong end of life.
if [ -n "${BASE_SYSTEM-}" ]; then
    system=$(. /etc/os-release && echo "$ID-${VERSION_ID-}")
    if [ "$system" != "$BASE_SYSTEM" ]; then
        echo "The base is $system by its /etc/os-release, and this line is built on $BASE_SYSTEM; give the base of" \
            "this line, or build the line of this base." >&2
        exit 2
    fi
fi

# The home of an account may be missing, and its group is the account's own.
while read -r kind name; do
    case $kind in
    user)
        if getent passwd "$name" >/dev/null; then userdel --force --remove "$name" 2>/dev/null || userdel --force "$name"; fi
        if getent group "$name" >/dev/null; then groupdel "$name"; fi
        ;;
    path) rm -rf "$name" ;;
    esac
done </run/unwanted
