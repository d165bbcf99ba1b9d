"""Whether a build can be repeated: two builds from nothing under different circumstances, or one and an earlier one.

builds        the two builds
archive       an OCI archive, read without unpacking it
comparison    what two archives of an image do not have in common
table         the outcome as text
"""
