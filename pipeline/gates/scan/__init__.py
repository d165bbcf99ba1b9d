"""The gate of vulnerabilities.

gate_scan           Trivy over every image
findings            what a scan found
database            Trivy's database: from where, how old, for which distributions
exemptions          the OpenVEX statements that except a vulnerability for a time
container_scanning  findings as GitLab reads them
"""
