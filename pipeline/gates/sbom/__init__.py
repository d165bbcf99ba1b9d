"""The gate of SBOMs.

gate_sbom   SBOMs of images, compared with what the images hold
inventory   the packages of an image, listed by the image and by an SBOM
fixed       SBOMs without random or changing values
"""
