"""What is done to sounds and pictures at random, batched and on the trainer's device; one operation per file.

Each takes B sounds and parameters for each of them, and is a pure function; which a sound gets is `chain.py`.
"""
