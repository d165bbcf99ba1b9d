"""Releases: the images in registries, under versions that never change.

tags            versions and the tags beside them
gates           what images pass before they are published
changelog       what a release must say of itself
content         an image as a manifest and blobs, in an archive or in another registry
copies          an image of one registry as what is pushed to another
push            images into a registry: blobs, manifests, and last of all tags
release_record  what belongs to a release, recorded in the registry before its first tag
completion      a release that broke off, completed from its record
published       an image in a registry, as it describes itself
bases           the image that all others are built from, and whether an image rests on it
unpacked        what a layer holds, whatever is claimed of it
evidence        what is signed of an image, held against what must be
facts           what must be true of an image, one function a fact
verify          whether it is
resign          a release that is promoted, signed again
publish         build, check, push
report          what is found in a release, as in a build
login           the user's words on how to reach registries
"""
