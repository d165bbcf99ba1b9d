"""The gate of hardening.

gate_audit  OpenSCAP over every image
audited     what an audit found, held against the baseline
baseline    what earlier audits found
tailoring   the rules that mean nothing in a container, and why
"""
