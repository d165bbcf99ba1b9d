# fact NAME EXPECTED FOUND: report a difference. verdict MESSAGE: print the result, or fail if a fact differed.
wrong=0
fact() {
    if [ "$2" != "$3" ]; then
        echo "$1: expected ${2:-nothing}, found ${3:-nothing}" >&2
        wrong=1
    fi
}
verdict() {
    if [ "$wrong" = 0 ]; then echo "$1"; fi
    exit "$wrong"
}
# A place for what the check makes; the next one in the same container finds nothing of it.
work=$(mktemp -d)
trap 'cd / && rm -rf "$work"' EXIT
cd "$work"
