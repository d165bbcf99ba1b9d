"""Fills the directory of --tools on machines that cannot reach the upstream releases."""
