"""The live model of this process, and how it follows the database."""
