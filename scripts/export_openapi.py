"""Write backend/openapi.json, which the page's client is generated from."""

import json
from pathlib import Path

from understudy.main import create_app

TARGET = Path(__file__).resolve().parents[1] / "backend" / "openapi.json"

TARGET.write_text(
    json.dumps(create_app().openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
)
