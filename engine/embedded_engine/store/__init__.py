"""The directory on disk: results by key or digest.

store      the open store
prepare    makes or refuses the directory
snapshot   the record of a finished file system
survey     describes a directory without reading its files
integrity  compares a snapshot with its record
locks      locks between processes
inventory  lists the content of a store
prune      removes the least recently used entries
verify     the full check of a store
cache      the command that shows, verifies and prunes a store
clock      the order of last uses, whatever the clock does
trash      deletes removed entries
"""
