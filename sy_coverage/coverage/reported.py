"""Take the numbers an office reports for targets that no map can compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sy_coverage.coverage._verdict import Verdict
from sy_coverage.errors import ConfigError
from sy_coverage.policy.targets import CITY, RULES_OF_SHARE

if TYPE_CHECKING:
    from sy_coverage.policy.targets import Policy, Target


def reported_numbers(
    reported: Mapping[str, Any], policy: Policy, counties: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Return the reported numbers by `target_id` and `scope_id`.

    Parameters
    ----------
    reported
        By `target_id`: a number (or true/false) for the city, or a mapping from `county_id`, county name or
        ``city`` to numbers.

    Raises
    ------
    ConfigError
        With every unknown target or county, and every value that is no number or no share in 0..1.
    """
    ids = {name: key for key, name in counties.items()} | {key: key for key in counties} | {CITY: CITY}
    targets = {target.id: target for target in policy.targets}
    numbers: dict[str, dict[str, float]] = {}
    problems: list[str] = []
    for target_id, given in reported.items():
        if target_id not in targets:
            problems.append(f"{target_id}: no such target; there are: {', '.join(targets)}")
            continue
        by_scope = given if isinstance(given, Mapping) else {CITY: given}
        for scope, value in by_scope.items():
            if scope not in ids:
                problems.append(f"{target_id}.{scope}: no such county; there are: {', '.join(counties)}")
                continue
            fault = _fault(value, targets[target_id])
            if fault:
                problems.append(f"{target_id}.{scope}: {fault}")
            else:
                numbers.setdefault(target_id, {})[ids[scope]] = float(value)
    if problems:
        raise ConfigError("reported: " + "; ".join(problems))
    return numbers


def _fault(value: object, target: Target) -> str:
    if not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return f"{value!r} is no number of 0 or more"
    if target.rule not in {*RULES_OF_SHARE, "completed", "floor_area_at_least"} or value <= 1:
        return ""
    return f"{value:g} is no share; it must lie between 0 and 1" + (
        f"; write {value / 100:g} for {value:g} %" if value <= 100 else ""
    )


def reported_verdict(
    target: Target, given: Mapping[str, float], scope_id: str, counties: Mapping[str, str]
) -> Verdict | None:
    """Return how a target stands by what was reported for `scope_id`, or None when nothing was.

    A city whose counties have all reported, all of them enough or none of them, is judged by that: any weighted mean of
    them lies on the same side. Its value is stated only when they all report the same.
    """
    if scope_id in given:
        return _judged(target, given[scope_id])
    if scope_id != CITY or target.rule not in {*RULES_OF_SHARE, "completed"} or not counties:
        return None
    if set(counties) - set(given):
        return None
    each = [_judged(target, given[county]) for county in counties]
    if len({verdict.met for verdict in each}) > 1:
        return None
    values = {verdict.value for verdict in each}
    value = values.pop() if len(values) == 1 else None
    met = each[0].met if target.rule != "share_equals" or value is not None or target.value == 1 else None
    return Verdict(value, met, None, "reported", "from_counties")


def _judged(target: Target, value: float) -> Verdict:
    goal = 1.0 if target.value is None else target.value
    met = value == goal if target.rule == "share_equals" else value >= goal
    counted = target.rule in {"count_at_least", "each_done"}
    return Verdict(value, met, max(0, int(-(-(goal - value) // 1))) if counted else None, "reported")
