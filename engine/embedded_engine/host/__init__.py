"""The machine: its properties, its kernel and its programs.

errors       the errors of the engine
process      runs host programs
settings     the host's settings for steps
namespace    the namespaces of an engine
users        users and groups of a root file system
rootpath     resolves paths of a container on the host
disk         errors of a full or read-only disk
syscalls     system calls that Python lacks
events       progress, sent to the client
once         work that is done once in a session
aptauth      logins to apt's sources, in a file that only root reads
beneath      files of a directory that others may change, opened so that no link leads out
bounded      numbers and JSON from outside, within limits
credentials  logins to registries
durable      synchronises files to the disk before they get their names
peers        finds the process that calls the engine
tcp          who owns a connection over the loopback interface
relay        services on the host's loopback interface, for steps
"""
