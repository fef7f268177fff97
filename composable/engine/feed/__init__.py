"""Data larger than device memory: any source as a stream of chunks, each of many batches."""
