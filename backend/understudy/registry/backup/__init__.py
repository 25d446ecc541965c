"""Backups of a home: one archive with the rows and the files, each with its digest."""
