"""The gate of hardening.

gate_audit  OpenSCAP over every image
audited     what an audit found, as the result of a gate
baseline    what earlier audits found
tailoring   the rules that mean nothing in a container, and why
"""
