"""Adoption and repair of an `ml_models` table that was made or changed by hand."""
