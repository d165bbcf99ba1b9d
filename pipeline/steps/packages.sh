apt-get install "$@"
