"""Directories of text files, however many."""

from collections.abc import Mapping, Sequence

import dagger
from dagger import dag

#: A request nests a call in the one before it, and parsers bound that.
_IN_A_CHAIN = 50


def text_files(files: Mapping[str, str]) -> dagger.Directory:
    """Return a directory with files.

    Args:
        files: the contents of each by its path.
    """
    paths = list(files)
    directory = _chain(files, paths[:_IN_A_CHAIN])
    for start in range(_IN_A_CHAIN, len(paths), _IN_A_CHAIN):
        directory = directory.with_directory("/", _chain(files, paths[start : start + _IN_A_CHAIN]))
    return directory


def _chain(files: Mapping[str, str], paths: Sequence[str]) -> dagger.Directory:
    directory = dag.directory()
    for path in paths:
        directory = directory.with_new_file(path, files[path])
    return directory
