"""The gRPC services of pairstream, generated from worker.proto by `make stubs`."""
