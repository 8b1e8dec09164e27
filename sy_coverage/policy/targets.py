"""Hold a policy as data: its targets, the kinds of facilities it speaks of, and the readings it leaves open."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from sy_coverage._models import Problem, problems
from sy_coverage.errors import ConfigError, UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Mapping

UnitKind: TypeAlias = Literal["street", "township", "other"]
CoverageRule: TypeAlias = Literal["presence", "access", "both"]
Scope: TypeAlias = Literal["county", "city"]
ElderColumn: TypeAlias = Literal["elders", "elders_65", "elders_80"]
ServedColumn: TypeAlias = Literal["elders", "elders_65", "elders_80", "elders_destitute", "elders_disabled"]
Symbol: TypeAlias = Literal[
    "circle",
    "square",
    "triangle",
    "triangle_down",
    "diamond",
    "pentagon",
    "hexagon",
    "star",
    "cross",
    "plus",
]
Id: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text: TypeAlias = Annotated[str, Field(min_length=1)]

CITY = "city"
"""The `scope_id` of the whole area a policy holds for; a county is called by its id."""
RULES_OF_SHARE = ("share_at_least", "share_equals")
BY_SITES = ("unit_coverage", "facility_count", "bed_share", "upgrade_count", "floor_area")
"""Measures that opening, rebuilding or re-equipping a site can change; others only an office's own work can."""


def _only(given: dict[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = [key for key in given if key not in allowed]
    if unknown:
        raise ValueError(f"no such key: {', '.join(unknown)}; allowed are {', '.join(allowed)}")


def _one_for_both(words: object) -> object:
    return dict.fromkeys(("zh", "en"), words) if isinstance(words, str) and words else words


def _both_languages(words: dict[str, str]) -> dict[str, str]:
    _only(words, ("zh", "en"))
    missing = [language for language in ("zh", "en") if not words.get(language)]
    if missing:
        raise ValueError(f"needs a text for both zh and en; without one: {', '.join(missing)}")
    return words


def _every_class(minutes: dict[str, float]) -> dict[str, float]:
    _only(minutes, get_args(UnitKind))
    missing = [kind for kind in get_args(UnitKind) if kind not in minutes]
    if missing:
        raise ValueError(f"needs minutes for every class of unit; without: {', '.join(missing)}")
    return minutes


def _share(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100:
        raise ValueError(f"a share lies between 0 and 1; write {value / 100:g} for {value:g} %")
    return value


Words: TypeAlias = Annotated[dict[str, str], BeforeValidator(_one_for_both), AfterValidator(_both_languages)]
"""What is said in both languages: a text for each, or one that is the same in both."""
Share: TypeAlias = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
Minutes: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Cutoffs: TypeAlias = Annotated[dict[str, Minutes], AfterValidator(_every_class)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Kind(_Data):
    """A kind of facility: what it is called, how it is drawn, and how people get there."""

    id: Id
    """The key of its table in the file, such as ``service_centre``."""
    name: Words
    symbol: Symbol
    """Shape on maps; every kind has its own, so that colour is never needed to tell them apart."""
    colour: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
    """Colour on maps, ``#RRGGBB``."""
    mode: Annotated[str, Field(min_length=1)]
    """Travel mode, such as ``drive`` or ``walk``."""
    cutoff_min: Cutoffs
    """Minutes within which it is in reach (inclusive), by the class of the unit the elder lives in."""
    words: tuple[Text, ...] = ()
    """What lists call it besides its name: an exact word decides, then the longest that a cell contains. Without any, those of
    the shipped policy's kind of the same id."""
    serves: ServedColumn | None = None
    """The column of demand that counts those it is for, such as ``elders_destitute``; None: all elders. A kind that is counted by
    number, such as a home, is sited for them; whose access the coverage rates count is the reading `elders`."""
    functions: tuple[Text, ...] = ()
    """What a complete facility of this kind offers; one that lists only some of them is flagged partial."""

    @property
    def longest_min(self) -> float:
        """Return the longest of the cutoffs, which travel times must at least hold."""
        return max(self.cutoff_min.values())


class UnitName(_Data):
    """What the units of one class are called where the policy holds: municipalities, 里, wards."""

    one: Words
    many: Words


class UnitCoverage(_Data):
    """Count the units of one class that are covered by a kind of facility, as a share of all of them."""

    of: Literal["unit_coverage"]
    unit_kind: UnitKind
    facility_kind: Id

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of."""
        return (self.facility_kind,)


class FacilityCount(_Data):
    """Count open facilities of some kinds."""

    of: Literal["facility_count"]
    facility_kinds: Annotated[tuple[Id, ...], Field(min_length=1)]
    also_flag: Id | None = None
    """A yes/no column that makes a facility of any other kind count as well, such as ``dementia_ward``."""
    mark: Id | None = None
    """A yes/no column; only facilities with a yes count, such as ``demonstration``."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of."""
        return self.facility_kinds


class BedShare(_Data):
    """Count nursing beds as a share of all beds, over the homes of the reading that was chosen."""

    of: Literal["bed_share"]
    bases: Annotated[dict[Id, tuple[Id, ...]], Field(min_length=1)]
    """Kinds of homes whose beds count, by the name of the reading (`readings.nursing_bed_base`)."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of, in any reading."""
        return tuple(sorted({kind for kinds in self.bases.values() for kind in kinds}))


class FlagShare(_Data):
    """Count the facilities of some kinds whose yes/no column says yes, as a share of all of them."""

    of: Literal["flag_share"]
    facility_kinds: Annotated[tuple[Id, ...], Field(min_length=1)]
    flag: Id

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of."""
        return self.facility_kinds


class UpgradeCount(_Data):
    """Count open facilities of a kind that came from rebuilding an existing one."""

    of: Literal["upgrade_count"]
    facility_kind: Id
    premises: Text = "upgrade"
    """Value of the column `premises` that says so; a value in `upgrade_of` says so too."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of."""
        return (self.facility_kind,)


class FloorArea(_Data):
    """Count the communities whose facilities have the floor area their households ask for, as a share of all."""

    of: Literal["floor_area"]
    facility_kinds: Annotated[tuple[Id, ...], Field(min_length=1)]
    m2_per_100_households: Annotated[float, Field(ge=0)]
    least_m2: Annotated[float, Field(ge=0)]
    community_names_end: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Endings by which the name of a demand point says that it is a community and no village."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities this measure speaks of."""
        return self.facility_kinds


class Reported(_Data):
    """Take the number an office reports: no map can compute it."""

    of: Literal["reported"]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return nothing: no facility is counted."""
        return ()


Measure: TypeAlias = Annotated[
    UnitCoverage | FacilityCount | BedShare | FlagShare | UpgradeCount | FloorArea | Reported,
    Field(discriminator="of"),
]


class Target(_Data):
    """One number the policy sets: what is counted, over what, how much of it, and by when."""

    id: Id
    name: Words
    scope: Literal["county", "city", "city_and_county", "county_or_city", "named_counties"]
    """Each county; the whole city; both; the one or the other as `readings.scope` says; or the counties named."""
    rule: Literal[
        "count_at_least", "share_at_least", "share_equals", "each_done", "completed", "floor_area_at_least"
    ]
    value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """A count or a share in 0..1, by `rule`; missing where the document gives no number."""
    by: dt.date | None = None
    """The day by which it is due; missing where the document gives none."""
    section: Text
    """Where the document says so, such as ``二(一)2``."""
    quote: Text
    """The clause, word for word."""
    counties: tuple[Text, ...] = ()
    """Names or codes of the counties a target of scope ``named_counties`` speaks of."""
    measure: Measure

    @property
    def by_sites(self) -> bool:
        """Return whether a plan of sites can bring this target nearer."""
        return self.measure.of in BY_SITES

    @model_validator(mode="after")
    def _fits(self) -> Target:
        value, problems = self.value, []
        if self.rule in RULES_OF_SHARE:
            if value is None:
                problems.append(f"value: rule {self.rule} needs a share between 0 and 1")
            elif value > 1:
                hint = f"; write {value / 100:g} for {value:g} %" if value <= 100 else ""
                problems.append(f"value: {value:g} is no share; it must lie between 0 and 1{hint}")
        elif self.rule in {"count_at_least", "each_done"} and (value is None or value != int(value)):
            problems.append(f"value: rule {self.rule} needs a whole number")
        if (self.scope == "named_counties") != bool(self.counties):
            problems.append("counties: needed with scope named_counties, and only there")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Readings(_Data):
    """What the document leaves open: the reading taken unless a study chooses another, and why."""

    scope: Scope = "county"
    """Whether each county meets the coverage rates by itself, or the city over all its units."""
    rule: CoverageRule = "presence"
    """What makes a unit count: it has a centre, its elders reach one, or both."""
    share: Share = 0.8
    """For access: the share of a unit's elders that must be within the cutoff."""
    nursing_bed_base: Id | None = None
    """Which of the `bases` of the bed share is counted."""
    elders: ElderColumn = "elders"
    """Which column of demand counts as elders: 60+, 65+ or 80+."""
    rebuilt: Literal["leaves", "stays"] = "leaves"
    """Whether a home that another is rebuilt from counts no more, in counts, beds and conversions, or counts beside it."""
    reasons: dict[Id, Words] = Field(default_factory=dict)
    """Why each reading is as it is; a report prints them."""


class Policy(_Data):
    """What must be reached, as one document says."""

    id: Id
    name: Words
    area: Words
    """The place it holds for."""
    document: Text
    """Number of the document, as a report cites it."""
    registration: str = ""
    issuer: Words | None = None
    issued: dt.date
    ends: dt.date | None = None
    """When the plan ends; due date of targets that name none."""
    readings: Readings = Readings()
    kinds: Annotated[dict[Id, Kind], Field(min_length=1)]
    spread_kind: Id | None = None
    """The kind whose facilities a plan keeps apart within a county, where a study asks for that."""
    homes: tuple[Id, ...] = ()
    """The kinds of homes that must lie apart and near medical care where a study asks for that; without them it cannot ask."""
    station_kinds: tuple[Id, ...] = ()
    """The kinds through which a centre serves the villages of its unit (centre and stations)."""
    station_of_unit: dict[UnitKind, Id] = Field(default_factory=dict)
    """Of which of `station_kinds` a station is that is proposed in a unit of each class; a class that is not here: the first."""
    unit_names: dict[UnitKind, UnitName] = Field(default_factory=dict)
    """What units of each class are called; a class that is not here: street, township, other unit."""
    money: Words | None = None
    """In what `cost` is counted, such as 万元 or ``CHF 1,000``; missing: 10⁴ yuan within China, elsewhere not said."""
    medical_kind: Id | None = None
    """The kind of institution that gives medical care; proposals state the minutes to the nearest."""
    targets: Annotated[tuple[Target, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _kinds_know_their_id(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("kinds"), dict):
            return data
        kinds = {k: {"id": k, **v} if isinstance(v, dict) else v for k, v in data["kinds"].items()}
        return {**data, "kinds": kinds}

    @model_validator(mode="after")
    def _holds_together(self) -> Policy:
        problems = []
        seen: set[str] = set()
        for target in self.targets:
            if target.id in seen:
                problems.append(f"targets.{target.id}: id given more than once")
            seen.add(target.id)
            unknown = sorted(set(target.measure.kinds) - set(self.kinds))
            if unknown:
                problems.append(
                    f"targets.{target.id}.measure: no such kind: {', '.join(unknown)} "
                    f"(there are: {', '.join(self.kinds)})"
                )
            served = [
                k
                for k in target.measure.kinds
                if isinstance(target.measure, UnitCoverage) and k in self.kinds and self.kinds[k].serves
            ]
            if served:
                problems.append(
                    f"kinds.{served[0]}.serves: a coverage rate counts this kind; whose access it counts is readings.elders"
                )
            if isinstance(target.measure, BedShare):
                base = self.readings.nursing_bed_base
                if base not in target.measure.bases:
                    problems.append(
                        f"readings.nursing_bed_base: {base or 'missing'}; "
                        f"must be one of {', '.join(target.measure.bases)}"
                    )
        named = [("spread_kind", self.spread_kind), ("medical_kind", self.medical_kind)]
        named += [("station_kinds", kind) for kind in self.station_kinds] + [("homes", k) for k in self.homes]
        for key, kind_id in named:
            if kind_id is not None and kind_id not in self.kinds:
                problems.append(f"{key}: no such kind: {kind_id} (there are: {', '.join(self.kinds)})")
        problems += [
            f"station_of_unit.{unit}: must be one of station_kinds, not {kind}"
            for unit, kind in self.station_of_unit.items()
            if kind not in self.station_kinds
        ]
        problems += [
            f"kinds.{key}.id: must be its key '{key}'" for key, kind in self.kinds.items() if kind.id != key
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def station_of(self, unit_kind: UnitKind) -> str:
        """Return the kind of station that is proposed in a unit of this class; there must be kinds of stations."""
        return self.station_of_unit.get(unit_kind, self.station_kinds[0])

    def target(self, target_id: str) -> Target:
        """Return the target called `target_id`.

        Raises
        ------
        UnknownIdError
            If there is none; the message lists those there are.
        """
        for target in self.targets:
            if target.id == target_id:
                return target
        there = ", ".join(t.id for t in self.targets)
        raise UnknownIdError(f"policy {self.id}: no target '{target_id}'; there are: {there}")

    def kind(self, kind_id: str) -> Kind:
        """Return the kind of facility called `kind_id`.

        Raises
        ------
        UnknownIdError
            If there is none; the message lists those there are.
        """
        if kind_id not in self.kinds:
            raise UnknownIdError(f"policy {self.id}: no kind '{kind_id}'; there are: {', '.join(self.kinds)}")
        return self.kinds[kind_id]

    @property
    def coverage_kind(self) -> str:
        """Return the kind the first coverage rate counts; without such a target, the first kind."""
        return next(iter(self.covered_kinds), next(iter(self.kinds)))

    @property
    def covered_kinds(self) -> tuple[str, ...]:
        """Return the kinds of facilities whose presence or reach the coverage rates count, in the order of the targets."""
        counted = [t.measure.facility_kind for t in self.targets if isinstance(t.measure, UnitCoverage)]
        return tuple(dict.fromkeys(counted))

    @property
    def counted_unit_kinds(self) -> tuple[UnitKind, ...]:
        """Return the classes of units of which the rates of `coverage_kind` are; all classes where there is no such rate."""
        counted = {
            t.measure.unit_kind
            for t in self.targets
            if isinstance(t.measure, UnitCoverage) and t.measure.facility_kind == self.coverage_kind
        }
        return tuple(kind for kind in get_args(UnitKind) if kind in counted or not counted)

    @property
    def home_kinds(self) -> tuple[str, ...]:
        """Return the kinds of homes, which rules on distances between homes and to medical care speak of: see `homes`."""
        return self.homes

    @property
    def bed_share(self) -> Target | None:
        """Return the target that asks for a share of nursing beds, if there is one."""
        return next((t for t in self.targets if isinstance(t.measure, BedShare)), None)

    @property
    def marked_targets(self) -> tuple[Target, ...]:
        """Return the targets that count facilities chosen for something, such as demonstration sites."""
        return tuple(t for t in self.targets if isinstance(t.measure, FacilityCount) and t.measure.mark)

    def due(self, target: Target) -> dt.date | None:
        """Return the day `target` is due: its own, else the end of the plan."""
        return target.by or self.ends

    def citation(self, target: Target) -> str:
        """Return where the document says so, such as ``邵市政办发〔2025〕10号 二(一)2``."""
        return f"{self.document} {target.section}"

    def bed_kinds(self, measure: BedShare) -> tuple[str, ...]:
        """Return the kinds of homes whose beds count under the reading of this policy."""
        return measure.bases[str(self.readings.nursing_bed_base)]

    def with_readings(self, **readings: Any) -> Policy:
        """Return this policy with other readings, such as ``scope="city"`` or ``rule="access"``.

        Raises
        ------
        ConfigError
            If a reading is unknown or its value is not allowed.
        """
        data = self.model_dump()
        data["readings"] |= readings
        return policy_from(data, source=f"policy {self.id}")

    def with_access(
        self, *, mode: str | None = None, cutoff_min: dict[str, float] | None = None, kind: str | None = None
    ) -> Policy:
        """Return this policy with another mode or other cutoffs, for one `kind` or for all.

        Raises
        ------
        ConfigError
            If a cutoff is no positive number or names no class of unit.
        UnknownIdError
            If `kind` is none of this policy.
        """
        data = self.model_dump()
        for key in self.kinds if kind is None else (self.kind(kind).id,):
            if mode is not None:
                data["kinds"][key]["mode"] = mode
            data["kinds"][key]["cutoff_min"] |= cutoff_min or {}
        return policy_from(data, source=f"policy {self.id}")


def policy_from(data: Mapping[str, Any], *, source: str = "policy") -> Policy:
    """Return the policy that `data` (the content of a policy file) describes.

    Raises
    ------
    ConfigError
        Naming `source`, every wrong key, and for each what is allowed.
    """
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        said = dict.fromkeys(_sentence(problem) for problem in problems(error, Policy, data))
        raise ConfigError(f"{source}: " + "; ".join(said)) from None


def _sentence(problem: Problem) -> str:
    """Return one problem as ``key: what is allowed``."""
    words = problem.words
    if problem.kind == "extra_forbidden":
        near = f"; did you mean '{problem.nearest}'?" if problem.nearest else ""
        allowed = f"{near} (allowed: {', '.join(problem.allowed)})" if problem.allowed else "; take it out"
        words = f"unknown key{allowed}"
    elif problem.given and problem.kind != "value_error":
        words = f"{words} (it is {problem.given})"
    return f"{problem.key}: {words}" if problem.key else words
