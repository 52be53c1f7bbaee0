"""The consumer: pairs in, encoder out."""
