"""Requests and answers of predictions: files, batches, streams, tensors."""
