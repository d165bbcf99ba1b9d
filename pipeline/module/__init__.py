"""The base container images of the SKA Observatory: built, checked and described.

These are the functions that Dagger and `ska-images` call: thin, documented, without logic.

main        builds, checks and describes images
releases    publishes, promotes, verifies and describes releases
gates       the gates, and the evidence that they leave
fresh       functions whose results are never kept
"""
