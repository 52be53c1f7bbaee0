"""Measurements, not tests: each prints medians and ratios of things measured in turn in one process.

Run from the project's root, on a machine that does nothing else: `python -m benchmarks.NAME`.
"""
