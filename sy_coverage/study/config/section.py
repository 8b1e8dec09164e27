"""Hold what all sections of a study file share: frozen models, every key documented, unknown keys refused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sy_coverage import _files

CoordinateSystem = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
Minutes = Annotated[float, Field(gt=0, le=24 * 60, allow_inf_nan=False)]
Growth = Annotated[float, Field(ge=-0.2, le=0.2, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Mode = Literal["drive", "walk", "bike", "ebike"]
UnitKind = Literal["street", "township", "other"]
Service = Literal["tianditu", "amap", "baidu", "nominatim"]


class Section(BaseModel):
    """One section: it cannot be changed, and knows every key that it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    parts: ClassVar[frozenset[str]] = frozenset()
    """Properties that are a part of a key: what reads one of them depends on no more than that."""

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Return what a representation shows: everything but the passwords of databases."""
        return [(name, _unsaid(value)) for name, value in super().__repr_args__()]

    def shown(self) -> dict[str, Any]:
        """Return all options as plain values without the passwords of databases."""
        return {name: _unsaid(value) for name, value in self.model_dump(mode="json").items()}


def _unsaid(value: Any) -> Any:
    """Return an option as it may be shown: text without the password of a database address."""
    if isinstance(value, str):
        return _files.without_password(value)
    if isinstance(value, dict):
        return {key: _unsaid(item) for key, item in value.items()}
    return [_unsaid(item) for item in value] if isinstance(value, list | tuple) else value
