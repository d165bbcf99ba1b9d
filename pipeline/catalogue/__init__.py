"""The catalogue: which images there are, and what each adds to its parent.

image       the type of the entries
families    the entries
lookup      images found by name, with their ancestors and checks
"""
