"""Signatures and attestations: cosign signs both, and notation signs images.

reach                a container that reaches one registry
cosign               cosign in such a container
notation             notation in such a container
signer               who signs with cosign
notation_signer      who signs with notation
both_kinds           signers of both kinds together
attestation          what is attested of an image
sign                 signs the images of a release with cosign
notation_sign        signs them with notation
signature            verifies what cosign signed
notation_signature   verifies what notation signed
trust_store          what notation trusts
certificates         certificates in PEM
listing              what is attested of an image, as its registry lists it
policy               policies that make others accept only signed images
notation_policy      those that demand notation's signatures
envelope             signed envelopes, read strictly
"""
