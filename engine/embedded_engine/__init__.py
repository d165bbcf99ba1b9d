"""The embedded engine: the part of Dagger's API that Python modules use most, on overlayfs and runc.

connections limits for connections
parser      queries with long texts
server      GraphQL over HTTP for Dagger's SDKs
session     starts an engine beside a client
unstarted   facts about an engine that is not running
api         one function for each served field
graph       the parts of a chain
make        makes each node of a chain
oci         layers, images, archives and registries
store       the directory on disk
host        the machine: its kernel, programs, users and settings
"""
