"""What the console script `trainer` runs, one command per file. The only place that prints."""
