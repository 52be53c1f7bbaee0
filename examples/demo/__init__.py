"""The demonstration behind `make demo`: a worker, a trainer, a report and a page to listen to."""
