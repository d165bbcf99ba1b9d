"""The embedded engine: the part of Dagger's API that this project uses, on overlayfs and runc.

It imports nothing from the rest of the project, so that it can be read, tested and replaced alone.
"""
