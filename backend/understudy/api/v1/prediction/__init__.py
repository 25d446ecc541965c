"""Predictions over HTTP and WebSocket."""
