"""Write a value as it stands in a CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sy_coverage.outputs.text import format as fmt


def csv_cell(value: Any) -> str:
    """Return a value as it stands in a CSV: nothing where nothing is known, text inert."""
    if not fmt.known(value):
        return ""
    if isinstance(value, str):
        return fmt.inert(value)
    if pd.api.types.is_bool(value):
        return "true" if value else "false"
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)
