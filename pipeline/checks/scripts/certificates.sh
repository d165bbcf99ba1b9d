# The image's own files, as `with_own_files` mounts them: an engine may add certificates for every exec.
image=$1
certs=$image/etc/ssl/certs
bundle=$certs/ca-certificates.crt
grep -v -e '^[#!]' -e '^$' "$image/etc/ca-certificates.conf" >enabled
fact "certificates that are enabled" "some" "$(test ! -s enabled || echo some)"
{
    sed "s|^|$image/usr/share/ca-certificates/|" enabled
    find "$image/usr/local/share/ca-certificates" -name '*.crt' 2>/dev/null || true
} >wanted
# The base64 text of each certificate is joined to one line, since line lengths may differ.
bodies='/-BEGIN/ { body = ""; next } !/-END/ { body = body $0; next }'
xargs awk "$bodies"' { if (FILENAME == ARGV[1]) have[body] = 1; else if (!(body in have)) print FILENAME }' \
    "$bundle" <wanted | sed "s|^$image||" >missing
fact "enabled certificates that the bundle lacks" "" "$(echo $(cat missing))"
(cat wanted && echo "$bundle") | xargs awk "$bodies"' {
    if (FILENAME != ARGV[ARGC - 1]) have[body] = 1; else if (!(body in have)) print FNR }' >others
fact "lines where certificates of the bundle end that are neither enabled nor local" "" "$(echo $(cat others))"

first=$(head -n 1 enabled)
hash=$(openssl x509 -noout -hash -in "/usr/share/ca-certificates/$first")
fact "link by hash to $first" "yes" "$(ls "$certs/$hash".* >/dev/null 2>&1 && echo yes)"
find "$certs" -type l | sort | while read -r link; do
    target=$(readlink "$link")
    case $target in /*) target=$image$target ;; *) target=$certs/$target ;; esac
    test -e "$target" || echo "${link#"$image"}"
done >dangling
fact "links to certificates that lead nowhere" "" "$(echo $(cat dangling))"
# An authority made here, one below it, and a server's certificate below that.
sign() { # SUBJECT EXTENSIONS ISSUER…
    name=$1 extensions=$2
    shift 2
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
    echo "$extensions" >"$name.ext"
    openssl x509 -req -in "$name.csr" -days 2 -extfile "$name.ext" -out "$name.crt" "$@"
}
{
    authority='basicConstraints=critical,CA:TRUE'
    sign root "$authority" -signkey root.key
    sign intermediate "$authority" -CA root.crt -CAkey root.key -CAcreateserial
    sign server subjectAltName=DNS:server.test -CA intermediate.crt -CAkey intermediate.key -CAcreateserial
} 2>signing || { cat signing >&2; exit 1; }

verified() { openssl verify -no-CApath -CAfile "$1" -untrusted intermediate.crt server.crt >/dev/null 2>&1 && echo accepted || echo rejected; }
fact "a chain to an authority that the bundle lacks" rejected "$(verified "$bundle")"
# Into a directory of its own, since an engine may have changed this one for the exec. One certificate of
# the image's says as much as all, in a tenth of the time.
mkdir local etc
cp root.crt local/check.crt
head -n 1 enabled >few
update-ca-certificates --certsconf few --localcertsdir "$work/local" --etccertsdir "$work/etc" >update 2>&1 || { cat update >&2; exit 1; }
fact "the same chain after update-ca-certificates" accepted "$(verified "$work/etc/ca-certificates.crt")"
verdict "$(grep -c BEGIN "$bundle") certificates; a chain is verified"
