"""The catalogue: the images, and what each adds to its parent.

image       the types: an image is a family on a line
families    the families
lines       the lines
lookup      images by name, with the checks that they inherit
"""
