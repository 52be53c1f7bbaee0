"""Programs that show how the parts go together; run them with `python -m examples.NAME`."""
