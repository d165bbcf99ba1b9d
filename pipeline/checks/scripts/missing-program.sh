status=0
env no-such-program 2>message || status=$?
fact "exit code of a program that does not exist" "127" "$status"
verdict "not found"
