"""The views that commands print for people. Each function takes an answer and returns what rich can print."""
