"""Trust: what is held against the finished images, and what is said of them with proof.

functions   the module's functions
trivy       Trivy on an image's archive, for the scan and the SBOMs
"""
