"""The machine: what it is, what it lacks, and what its kernel and programs do.

errors      what can go wrong in the engine
process     runs host programs
settings    what steps get from the host
namespace   the namespaces that an engine lives in
users       users and groups of a root file system
rootpath    paths of a container, resolved on the host
disk        a disk that is full or read-only
syscalls    calls of the kernel that Python has no names for
events      progress, sent to the client
once        work that is done once in a session
"""
