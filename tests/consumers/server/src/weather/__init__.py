"""Serves readings of the weather."""
