"""Releases: the images in registries, under versions that never change.

tags              versions and additional tags
build_all         all images as archives, after their checks
changelog         the section that a release must have in CHANGELOG.md
content           an image as a manifest and blobs, in an archive or in another registry
copies            an image of one registry as a candidate for another
push              pushes images: blobs, manifests, and tags last
release_record    the digests of a release, recorded in the registry before its first tag
completion        completes an interrupted release from its record
published         an image in a registry, as it describes itself
unpacked          the digest of a layer's unpacked content
facts             the facts that must be true of an image, one function each
verify            verifies the facts of an image
resign            signs a promoted release again
publish           builds a release, holds it against the gates, and pushes it
login             the user's login as a registry client needs it
upstream          the base image, in its own registry
continuity        what a version may take from those who build on the images
contract_changes  what contracts change since a release, for the report
renew             looks up the bases of the lines, and writes their digests
attested          an image's attestations, compared with the required ones
files             reads files of an image in a registry
lineage           compares the layers of parents and children
notes             what is new between two releases
stale             images of others that stand on an old release
stand             the release that an image stands on
scan_changes      which known vulnerabilities went and came between two releases
notes_page        the notes in Markdown
outdated          which images should be rebuilt, and why
promote           copies a release to another registry
release_document  a release as a JSON document
release_report    the report of a release
verdict           results with an exit code
"""
