# run CHECK STEP SCRIPT ARGUMENT…: run the script of a check, and end its part of both streams.
failed=0
run() {
    check=$1 step=$2 script=$3 code=0
    shift 3
    sh -euc "$script" "$step" "$@" </dev/null || code=$?
    printf '\n\036%s %s\n' "$check" "$code"
    printf '\n\036%s %s\n' "$check" "$code" >&2
    if [ "$code" != 0 ]; then failed=1; fi
}
