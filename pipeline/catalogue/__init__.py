"""The catalogue: the images, and what each adds to its parent.

image       the type of the entries
families    the entries
lookup      images by name, with the checks that they inherit
"""
