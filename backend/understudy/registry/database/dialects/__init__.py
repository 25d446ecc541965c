"""The connections of SQLite and PostgreSQL, each with what the other does not need."""
