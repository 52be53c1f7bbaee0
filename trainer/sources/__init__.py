"""Where batches of pairs come from: a stream, recordings, a mixture of both, or a stream whose delta changes."""
