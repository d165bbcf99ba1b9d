"""The base container images of the SKA Observatory: the functions that Dagger and `ska-images` call.

main           builds, checks and describes images
releases       publishes, promotes, verifies and describes releases
gates          the gates, and the evidence that they leave
app_functions  applications on the images
part           the constructor's fields, and what all of these share
parameters     parameters that several functions share
grouping       a group of parameters, spread over a function
fresh          functions whose results are never cached
hints          type hints that every version of Python reads alike
"""
