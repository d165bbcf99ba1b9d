"""What a chain consists of: immutable values, and nodes that are named by what they do.

nodes       file systems, each described by what it starts from and what it changes
changes     the nodes that change files without running anything
values      what the API hands out
names       nodes named for people
patterns    which paths of a tree are meant
"""
