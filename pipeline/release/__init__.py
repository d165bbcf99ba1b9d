"""Releases: the images in registries, under versions that never change.

tags            versions and the tags beside them
gates           what images pass before they are published
changelog       what a release must say of itself
content         an image as a manifest and blobs, in an archive or in another registry
copies          an image of one registry as what is pushed to another
push            images into a registry: blobs, manifests, and last of all tags
release_record  what belongs to a release, recorded in the registry before its first tag
completion      a release that broke off, completed from its record
bases           the registry of the base, and whether the images begin with its layers
published       an image in a registry, as it describes itself
publish         build, check, push
report          what is found in a release, as in a build
login           the user's words on how to reach registries
"""
