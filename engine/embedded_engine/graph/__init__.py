"""The parts of a chain: immutable values, and nodes whose keys follow from their content.

nodes       file systems, each described by its inputs and its change
changes     operations that change files without running anything
values      the values that the API returns
names       names of nodes for people
patterns    include and exclude patterns, .gitignore files, and globs
"""
