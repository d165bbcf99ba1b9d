"""Makes each node, once for each key.

evaluator    makes nodes, as many at a time as there are cores
bases        file systems from outside
bootstrap    makes a stand-in base from the machine's own package sources
download     fetches files over HTTP
edits        changes files without running a process
difference   compares two directories
execution    runs a command in a container
bundle       the configuration for runc
mounts       the mounts of a command
runtime      runs runc, and reads the output of a step
output       keeps and shows a step's output, within limits
scrubber     removes secrets from the output
overlay      overlay mounts of the store's layers
pack         packs layers into images
confinement  isolates steps from the host
network      the network of a step
seccomp      the system calls that a step may make
copying      copies files with all their attributes
"""
