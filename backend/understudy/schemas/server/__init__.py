"""Answers about the server itself: status, statistics, events, problems, operations, demo clips."""
