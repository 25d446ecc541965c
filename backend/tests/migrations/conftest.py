"""Hand-made databases."""

import pytest

from understudy.settings import Settings


@pytest.fixture
def documented(database_settings: Settings) -> str:
    """The documented table as someone would make it by hand on this database."""
    key = "INTEGER" if database_settings.database_url is None else "SERIAL"
    return f"""
        CREATE TABLE ml_models (
            model_id {key} PRIMARY KEY,
            model_name VARCHAR(255) NOT NULL UNIQUE,
            version VARCHAR(50),
            file_path VARCHAR(500) NOT NULL,
            description TEXT,
            model_type VARCHAR(100),
            accuracy DECIMAL(5, 4),
            created_at TIMESTAMP,
            updated_at TIMESTAMP,
            is_active BOOLEAN DEFAULT FALSE,
            created_by_user_id INT
        )
    """
