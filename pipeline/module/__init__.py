"""The base container images of the SKA Observatory: the functions that Dagger and `ska-images` call.

main      builds, checks and describes images
releases  publishes, promotes, verifies and describes releases
gates     the gates, and the evidence that they leave
fresh     functions whose results are never kept
hints     type hints that every Python reads alike
"""
