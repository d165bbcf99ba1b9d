"""The gates that every image passes before a release.

sbom        SBOMs, refused where they are not complete
audit       how hard an image is, by OpenSCAP
scan        known vulnerabilities, by Trivy
tools       other projects' programs and rules, pinned by digest
trivy       Trivy on an image's archive
"""
