# $1 is the environment, $2 the lock, $3 the requirements. Further arguments are options of uv.
environment=$1 lock=$2 requirements=$3
shift 3
uv venv --quiet --no-project "$environment"
export VIRTUAL_ENV="$environment"
case $lock in
uv.lock | poetry.lock) set -- --no-deps --verify-hashes "$@" ;;
pylock.toml) set -- --no-deps "$@" ;;
*) set -- --require-hashes "$@" ;;
esac
uv pip install --quiet "$@" --requirements "$requirements"
# Any user could change it.
rm -f "$environment/.lock"
