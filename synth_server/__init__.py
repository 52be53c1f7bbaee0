"""The producer of a pair stream: parameters in, blocks out."""
