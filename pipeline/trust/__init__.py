"""Trust: what is held against the finished images, and what is said of them with proof.

functions   the module's functions
sbom        SBOMs of the images, refused where they are not complete
inventory   the packages of an image, by its own word and by an SBOM
fixed       SBOMs in which nothing is left to chance
trivy       Trivy on an image's archive, for the scan and the SBOMs
"""
