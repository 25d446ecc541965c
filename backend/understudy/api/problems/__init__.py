"""Answers errors as problem documents (RFC 9457)."""
