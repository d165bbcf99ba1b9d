"""How each node is made, once for each key.

evaluator    makes nodes, as many at a time as there are cores
bases        file systems that come from outside
bootstrap    a stand-in base from the machine's own package sources
download     files over HTTP
edits        changes of files without a process
difference   what one file system has beyond another
execution    a command in a container
bundle       the configuration that runc takes
mounts       what a command sees beside its root
runtime      runc, and what a step prints
output       standard output and error, bounded
scrubber     secrets taken out of the output
overlay      overlay mounts of the store's layers
pack         layers packed into images
confinement  what keeps steps apart from the host
network      the network of a step
seccomp      the system calls that a step may make
copying      files copied with all their attributes
"""
