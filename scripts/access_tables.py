"""Prints the tables of docs/access.md from the code."""

import sys

from understudy.api.access.access_reference import render_matrix, render_routes
from understudy.main import create_app

sys.stdout.write(f"{render_matrix()}\n{render_routes(create_app())}")
