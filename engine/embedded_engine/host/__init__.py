"""The machine: what it is, what it lacks, and what its kernel and programs do.

errors       what can go wrong in the engine
process      runs host programs
settings     what steps get from the host
namespace    the namespaces that an engine lives in
users        users and groups of a root file system
rootpath     paths of a container, resolved on the host
disk         a disk that is full or read-only
syscalls     calls of the kernel that Python has no names for
events       progress, sent to the client
once         work that is done once in a session
aptauth      logins to apt's sources, in a file that only root reads
beneath      files of a directory that others may change, reached so that no link leads out
bounded      numbers and JSON from outside, within bounds
credentials  logins to registries
durable      what is named is on the disk
peers        which process calls the engine
relay        services of the host's loopback, for steps
"""
