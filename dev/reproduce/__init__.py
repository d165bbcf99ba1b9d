"""Verifies that builds are reproducible: two builds from nothing in different environments, or one and an earlier one.

builds        the two builds
archive       reads an OCI archive without unpacking it
comparison    the differences between two archives of an image
table         the result as text
"""
