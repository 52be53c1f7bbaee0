"""What turns a log-mel picture into an embedding, one encoder per file."""
