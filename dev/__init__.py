"""The programs for maintainers.

bench       measures builds, beside other builders
reproduce   builds twice and compares the results, bit for bit
tools       fetches the tools of the gates
"""
