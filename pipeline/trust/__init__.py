"""Trust: what is held against the finished images, and what is said of them with proof.

functions   the module's functions
sbom        SBOMs of the images, refused where they are not complete
statement   what is said of an image, as in-toto has it
results     statements on what is in an image, and on what gates found
provenance  from what, how and where an image was built, as SLSA has it
inventory   the packages of an image, by its own word and by an SBOM
fixed       SBOMs in which nothing is left to chance
scan        the gate of vulnerabilities
findings    what a scan found, as values and as a table
severity    how grave a vulnerability is
database    Trivy's database: from where, how old, of which distributions
exemptions  the OpenVEX statements that except a vulnerability for a time
trivy       Trivy on an image's archive, for the scan and the SBOMs
audit       how hard an image is, by OpenSCAP
audited     what an audit found, held against the baseline
tailoring   the rules that mean nothing in a container, and why
baseline    what earlier audits found
hardening   what the steps harden, and by which rule
report      one report of a build, as a page and as data
document    what stands in it
groups      what the size of an image is made of
container_scanning  what a scan found, as GitLab reads it
attestation what is said of an image under a signature
cosign      cosign in a container that reaches a registry
sign        signatures and attestations of a release
signature   whether they hold
envelope    the statement in a signed envelope
predicates  what the statements on a release must say
signer      who signs
policy      what has podman, skopeo and clusters take only what is signed
"""
