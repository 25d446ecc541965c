"""Counters, recent statistics, Prometheus text and the status of this process."""
