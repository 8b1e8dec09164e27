"""Frames that a study hands out: they can be read, cut and copied, and refuse to be changed in place."""

from __future__ import annotations

from copy import copy
from typing import Any, NoReturn

import geopandas as gpd
import pandas as pd
from pandas.core.indexing import _AtIndexer, _iAtIndexer, _iLocIndexer, _LocIndexer

from sy_coverage.errors import FrozenFrameError

_INSTEAD = (
    "this frame is the study's own and cannot be changed in place; change a .copy() of it, or ask with "
    "study.what_if(require=, forbid=, close=, add=) or study.but(...)"
)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise FrozenFrameError(_INSTEAD)


class _Loc(_LocIndexer):  # type: ignore[misc]  # pandas has no types
    __setitem__ = _refuse


class _ILoc(_iLocIndexer):  # type: ignore[misc]  # pandas has no types
    __setitem__ = _refuse


class _At(_AtIndexer):  # type: ignore[misc]  # pandas has no types
    __setitem__ = _refuse


class _IAt(_iAtIndexer):  # type: ignore[misc]  # pandas has no types
    __setitem__ = _refuse


class _Attributes(dict[str, Any]):
    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: object) -> dict[str, Any]:
        return dict(self)

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class _Frozen:
    """What a frame loses when it is handed out: every way to change it in place."""

    __setitem__ = __delitem__ = insert = isetitem = update = pop = _refuse
    _update_inplace = _refuse

    @property
    def loc(self) -> Any:
        return _Loc("loc", self)

    @property
    def iloc(self) -> Any:
        return _ILoc("iloc", self)

    @property
    def at(self) -> Any:
        return _At("at", self)

    @property
    def iat(self) -> Any:
        return _IAt("iat", self)

    @property
    def index(self) -> Any:
        return self._mgr.axes[1].view()  # type: ignore[attr-defined]  # a name given to it stays with whoever gives it

    def __setattr__(self, name: str, value: object) -> None:
        if name in {"columns", "index", "geometry", "crs", "attrs"} or name in self.columns:  # type: ignore[attr-defined]
            _refuse()
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        del protocol
        return copy, (self.copy(deep=False),)  # type: ignore[attr-defined]  # elsewhere it is a plain frame


class FrozenFrame(_Frozen, pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """A table that cannot be changed in place; what is cut or copied from it can."""

    _constructor = pd.DataFrame


class FrozenGeoFrame(_Frozen, gpd.GeoDataFrame):  # type: ignore[misc]  # pandas has no types
    """A table with geometry that cannot be changed in place; what is cut or copied from it can."""

    # what is made of it is a plain frame
    _from_mgr = gpd.GeoDataFrame._from_mgr  # noqa: SLF001  pandas' own
    _geodataframe_constructor_with_fallback = gpd.GeoDataFrame._geodataframe_constructor_with_fallback  # noqa: SLF001

    def __getitem__(self, key: Any) -> Any:
        return _plain(super().__getitem__(key))

    def copy(self, deep: bool = True) -> gpd.GeoDataFrame:  # noqa: FBT001, FBT002  as pandas has it
        """Return a frame of your own."""
        return _plain(super().copy(deep=deep))

    def dissolve(self, *given: Any, **named: Any) -> gpd.GeoDataFrame:
        """Return groups of rows as one shape each."""
        return self.copy(deep=False).dissolve(*given, **named)

    def set_crs(self, *given: Any, inplace: bool = False, **named: Any) -> Any:
        """Return the frame with its coordinate system declared."""
        return _refuse() if inplace else super().set_crs(*given, **named)


def _plain(made: Any) -> Any:
    """Return what geopandas made of a frozen frame, which it gave the class of the frame, as a frame like any other."""
    if isinstance(made, FrozenGeoFrame):
        made.__class__ = gpd.GeoDataFrame
    return made


def frozen(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` as one that cannot be changed in place; nothing is copied."""
    if isinstance(frame, _Frozen):
        return frame
    kind = FrozenGeoFrame if isinstance(frame, gpd.GeoDataFrame) else FrozenFrame
    shallow = frame.copy(deep=False)
    own = object.__new__(kind)
    object.__setattr__(own, "__dict__", {**vars(shallow)})
    for slot, value in (("_mgr", shallow._mgr), ("_attrs", _Attributes(frame.attrs))):  # noqa: SLF001  pandas' own fields
        object.__setattr__(own, slot, value)
    return own
