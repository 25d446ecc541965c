"""Adoption of an `ml_models` table that was made by hand."""
