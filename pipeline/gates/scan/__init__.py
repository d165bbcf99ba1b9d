"""The gate of vulnerabilities.

gate_scan           Trivy over every image
findings            what a scan found
scanned             the same as the result of a gate
scan_statement      the same as a signed statement holds it
database            Trivy's database: from where, how old, for which distributions
exemptions          the OpenVEX statements that except a vulnerability for a time
openvex             those exceptions for scanners of derived images
container_scanning  findings as GitLab reads them
"""
