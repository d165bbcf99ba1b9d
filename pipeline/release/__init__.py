"""Releases: the images in registries, under versions that never change.

tags              versions and the tags beside them
build_all         all images as archives, each of which passed its checks
changelog         what a release must say of itself
content           an image as a manifest and blobs, in an archive or in another registry
copies            an image of one registry as what is pushed to another
push              images into a registry: blobs, manifests, and last of all tags
release_record    what belongs to a release, recorded in the registry before its first tag
completion        a release that broke off, completed from its record
published         an image in a registry, as it describes itself
unpacked          what a layer holds, whatever is claimed of it
facts             what must be true of an image, one function a fact
verify            whether it is
resign            a release that is promoted, signed again
publish           build, hold against the gates, push
login             the user's words on how to reach registries
upstream          the image that all others are built from, in its own registry
attested          what is signed of an image, held against what must be
files             files of an image in a registry
lineage           whether images are each other's parents
notes             what is new between two releases
outdated          which images should be built again, and why
promote           a release copied to another registry
release_document  a release as one JSON document
release_report    the report of a release
verdict           answers whose exit code counts
"""
