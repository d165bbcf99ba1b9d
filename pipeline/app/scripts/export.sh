# $1 is the lock, $2 the file that gets the requirements of the application, each with its hashes.
case $1 in
uv.lock) uv export --quiet --locked --no-dev --no-emit-project --no-header --no-annotate --output-file "$2" ;;
poetry.lock)
    poetry check --lock --quiet || { poetry check --lock; exit 1; }
    poetry export --quiet --only main --output "$2"
    ;;
esac
