"""The directory on disk: what was made, by its key or digest.

store      the directory, opened
prepare    the directory, made or refused
snapshot   what is known of a finished file system
survey     what a directory consists of, told without reading its files
integrity  whether a snapshot is what was written
locks      what running sessions use
inventory  what is in a store
prune      removes what has not been used for long
verify     the full check of a store
cache      the command that shows, verifies and prunes a store
clock      the order of last uses, whatever the clock does
trash      deletes what was taken away
"""
