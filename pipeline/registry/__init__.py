"""Registries: the few operations that a release takes, typed, retried, and with one sentence an error.

address        names of registries, of repositories in them, and of images
access         who asks, whom to trust, where the password may go, and how patiently
registry       a registry that is open
repository     the operations on one of its repositories
manifest       the documents of an image
index          which image of several is that of a platform
pages          lists that come in pages
referrer       what refers to a manifest
client         the HTTP client of a repository, which sends the login only where it may go
authorization  how a user answers the challenges of a registry
attempts       requests that are made again, each within its time
transfer       blobs on their way
body           the body of an answer, bounded
faults         what went wrong: a definite no, or a fault that passes
"""
