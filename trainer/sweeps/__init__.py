"""Sweeps: grids of training runs, side by side."""
