"""The embedded engine: the part of Dagger's API that Python modules use most, on overlayfs and runc.

connections bounds on who may connect
server      GraphQL over HTTP, as Dagger's SDKs speak it
session     starts an engine beside a client
unstarted   what is known of an engine that does not run
api         one function for each field that is served
graph       what a chain consists of
make        how each node of a chain is made
oci         layers, images, archives and registries
store       the directory on disk
host        the machine: its kernel, programs, users and settings
"""
