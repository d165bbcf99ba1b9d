"""Signatures and attestations, by cosign.

cosign       cosign in a container that reaches a registry
signer       who signs
attestation  what is attested of an image
sign         signs the images of a release
signature    verifies what is signed
policy       policies that make podman, skopeo and Kubernetes accept only signed images
envelope     signed envelopes, read strictly
"""
