"""Fills the directory of --tools on machines that do not reach the makers' releases."""
