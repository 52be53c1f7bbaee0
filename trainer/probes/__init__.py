"""Probes: what an encoder has learned, measured on labelled recordings."""
