"""Figures of what was measured, as PNG."""
