"""What maintainers run.

bench       how fast builds are, beside other builders
reproduce   whether a build can be repeated, bit for bit
tools       fetches the tools that gates run
"""
