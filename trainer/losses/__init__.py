"""What an embedding is trained for, one loss per file."""
