"""Directories of text files, however many."""

from collections.abc import Mapping
from itertools import islice

import dagger
from dagger import dag

#: A request nests a call in the one before it, and parsers bound that.
_IN_A_CHAIN = 50


def text_files(files: Mapping[str, str]) -> dagger.Directory:
    """Return a directory with files.

    Args:
        files: the contents of each by its path.
    """
    directory, rest = dag.directory(), iter(files.items())
    while batch := list(islice(rest, _IN_A_CHAIN)):
        chain = dag.directory()
        for path, text in batch:
            chain = chain.with_new_file(path, text)
        directory = directory.with_directory("/", chain) if len(files) > _IN_A_CHAIN else chain
    return directory
