"""The gate of SBOMs.

gate_sbom   SBOMs of images, compared with what the images hold
inventory   the packages of an image, by its own account and by an SBOM
fixed       SBOMs in which nothing is left to chance
"""
