"""Connections, transactions and values of SQLite and PostgreSQL."""
