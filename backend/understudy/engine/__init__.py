"""Loads models and runs recordings, tensors and streams on them: in this process, or in worker processes."""
