echo "$1" >list
while read -r kind name; do
    case $kind in
    user)
        fact "account $name" "" "$(getent passwd "$name" || true)"
        fact "group $name" "" "$(getent group "$name" || true)"
        fact "home of $name" "" "$(ls -d "/home/$name" 2>/dev/null || true)"
        ;;
    path) fact "file $name" "" "$(ls -d "$name" 2>/dev/null || true)" ;;
    esac
done <list
verdict "nothing of the base that must go is there: $(grep -c . list || true) looked for"
