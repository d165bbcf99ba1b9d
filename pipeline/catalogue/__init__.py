"""The catalogue: which images there are, and what each adds to its parent.

image       what an entry of the catalogue holds
families    the entries, and the chain of each
"""
