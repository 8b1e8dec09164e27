"""Look up how people travel: speeds, allowed roads and delays by mode, read from `travel_modes.toml`."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sy_coverage.errors import ConfigError, UnknownModeError

BUFFER_M = 200.0
LEAST_JUNCTIONS = 100
Kph = Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class TravelMode(BaseModel):
    """One way of travelling: which roads it may use, how fast, and what a junction costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """``drive``, ``walk``, ``bike``, ``ebike`` or the caller's own."""
    speed_kph: Mapping[str, Kph]
    """Free speed by `highway` class; a class that is not here may not be used."""
    service_kph: Mapping[str, Kph] = Field(default_factory=dict)
    """Free speed on service roads of a kind (`service` = driveway, parking_aisle, …), in place of the class's."""
    junction_s: Mapping[str, Seconds] = Field(default_factory=dict)
    """Seconds that a junction with roads of comparable class costs who comes on a road of this class and has to give way."""
    main_junction_share: Share = 1.0
    """What part of these seconds is lost on the main road, where the roads that join it are of a lower class."""
    signal_s: Seconds = 0.0
    """Seconds that traffic lights cost, in place of `junction_s`."""
    ford_s: Seconds = 0.0
    """Seconds that a ford costs that is mapped as a point of the road."""
    surface_factor: Mapping[str, Share] = Field(default_factory=dict)
    """Share of the class's speed by `surface`; what is not here costs nothing, 0 closes the road."""
    smoothness_factor: Mapping[str, Share] = Field(default_factory=dict)
    """The same by `smoothness`."""
    tracktype_factor: Mapping[str, Share] = Field(default_factory=dict)
    """The same by `tracktype`; of surface, smoothness and tracktype the worst one counts."""
    usual_factor: Mapping[str, Factor] = Field(default_factory=dict)
    """The share that the speed of a class in `speed_kph` already allows for: tracks are expected to be rough."""
    condition_factor: Mapping[str, Share] = Field(default_factory=dict)
    """Share of the speed that is left where a road is ``flood_prone``, ``seasonal``, ``impassable``, ``narrow``, … (0: closed)."""
    narrow_m: float = Field(default=0.0, ge=0)
    """A road of both directions narrower than this is ``narrow``, as is one of a single lane."""
    sac_scale: frozenset[str] = frozenset()
    """Grades of mountain paths that this mode can go; empty heeds none."""
    ferry_kph: float = Field(default=12.0, ge=0, le=200, allow_inf_nan=False)
    """Speed of a ferry that does not say how long it takes; 0 leaves such ferries out."""
    dismount_kph: Kph = 4.0
    """Speed where a vehicle is pushed."""
    access: tuple[str, ...] = ("access",)
    """Access keys that speak about this mode, the most particular one first."""
    oneway: tuple[str, ...] = ()
    """One-way keys that bind this mode, the most particular one first."""
    uses_maxspeed: bool = False
    """Whether a posted limit holds the speed down."""
    maxspeed_factor: float = Field(default=1.0, gt=0, le=1)
    """Share of a posted limit that is really driven."""
    most_kph: float = Field(gt=0)
    """No road piece is quicker than this."""
    opened_kph: float = Field(default=5.0, gt=0)
    """Speed on a class of road that is not listed but signed open to this very mode."""
    barriers: frozenset[str] = frozenset()
    """Barriers on a node that stop this mode unless a sign lets it pass."""

    width_m: float = Field(default=0.0, ge=0)
    """A road or gap posted narrower than this is closed; 0 heeds no such sign."""
    height_m: float = Field(default=0.0, ge=0)
    """The same for heights."""
    buffer_m: float = Field(default=BUFFER_M, gt=0)
    """Metres from a road that a catchment is drawn at most, as far as minutes are left to walk there."""
    least_junctions: int = Field(default=LEAST_JUNCTIONS, ge=1)
    """A connected part of the roads with so many junctions is a network of its own; a smaller one is a stub that leads nowhere."""
    slope_grade: tuple[float, ...] = ()
    """Rises over runs, ascending, downhill below 0, for which `slope_factor` says how the speed changes."""
    slope_factor: tuple[Factor, ...] = ()
    """Share of the level speed at each of `slope_grade`, in between by straight line; used when elevations are given."""

    @model_validator(mode="after")
    def _slopes(self) -> Self:
        if len(self.slope_grade) != len(self.slope_factor):
            raise ValueError("slope_grade and slope_factor need one value each")
        if any(a >= b for a, b in itertools.pairwise(self.slope_grade)):
            raise ValueError("slope_grade must ascend")
        return self

    def kph(self, highway: str, service: str = "") -> float | None:
        """Return the free speed on a class of road, None where the mode may not go."""
        usual = self.speed_kph.get(highway)
        return self.service_kph.get(service, usual) if highway == "service" and usual is not None else usual

    def changed(self, overrides: Mapping[str, Any]) -> TravelMode:
        """Return this mode with `overrides` laid over it: tables key by key (``{"speed_kph": {"track": 8}}``), all else whole.

        Raises
        ------
        ConfigError
            If a key or value is not allowed.
        """
        return _laid(self.name, self.model_dump(exclude={"name"}), overrides) if overrides else self

    def table(self) -> dict[str, Any]:
        """Return all that was chosen, as plain data in one order."""
        plain = self.model_dump(mode="json", exclude={"name"})
        return plain | {key: sorted(plain[key]) for key in ("barriers", "sac_scale")}


_NO_MODES = frozenset({"elders", "junction_rank", "moment", "zones"})
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("sy_coverage.roads").joinpath("travel_modes.toml").read_text(encoding="utf-8"))


def elder_walk_m_per_s() -> float:
    """Return how fast elders walk to the road, in metres a second."""
    return float(_table()["elders"]["walk_m_per_s"])


def mode_names() -> tuple[str, ...]:
    """Return the names of the modes that come with the package."""
    return tuple(k for k in _table() if k not in _NO_MODES)


def zones() -> Mapping[str, float]:
    """Return the limit in km/h of each zone that may be written for a number (``urban``, ``CN:rural``, ``walk``)."""
    table: dict[str, float] = _table()["zones"]
    return table


@cache
def moment() -> tuple[int, int]:
    """Return the day of the week (0 is Monday) and the minute of the day at which signs that hold only at times are read."""
    table = _table()["moment"]
    hour, minute = map(int, table["time"].split(":"))
    return DAYS.index(table["day"]), hour * 60 + minute


def junction_ranks() -> Mapping[str, int]:
    """Return how important a road of each class is where roads meet; a class that is not here is of rank 0."""
    ranks: dict[str, int] = _table()["junction_rank"]
    return ranks


def travel_mode(name: str, overrides: Mapping[str, Any] | None = None) -> TravelMode:
    """Return the travel mode `name`, with `overrides` laid over its table (``{"speed_kph": {"track": 8}}``).

    Raises
    ------
    UnknownModeError
        If there is no such mode and `overrides` does not describe one.
    ConfigError
        If a key or value of `overrides` is not allowed.
    """
    known = _table().get(name) if name not in _NO_MODES else None
    if known is None and not overrides:
        raise UnknownModeError(f"mode '{name}': known are {', '.join(mode_names())}")
    return _laid(name, known or {}, overrides or {})


def _laid(name: str, below: Mapping[str, Any], overrides: Mapping[str, Any]) -> TravelMode:
    table = dict(below)
    for key, value in overrides.items():
        before = table.get(key)
        table[key] = (
            {**before, **value} if isinstance(value, Mapping) and isinstance(before, Mapping) else value
        )
    try:
        return TravelMode(name=name, **table)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}, not {p['input']!r}" for p in error.errors()]
        raise ConfigError(f"travel mode '{name}': {'; '.join(wrong)}") from error


def at_walking_speed(mode: TravelMode, m_per_s: float) -> TravelMode:
    """Return `mode` with all its speeds scaled, so that what elders walk on the level is `m_per_s`."""
    share = m_per_s / elder_walk_m_per_s()
    return mode.model_copy(
        update={
            "speed_kph": {k: v * share for k, v in mode.speed_kph.items()},
            "service_kph": {k: v * share for k, v in mode.service_kph.items()},
            "most_kph": mode.most_kph * share,
            "opened_kph": mode.opened_kph * share,
        }
    )
