"""Name in the reader's language what the frames hold as ids: kinds, premises, verdicts, reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.policy import targets

if TYPE_CHECKING:
    from sy_coverage.labels import Language
    from sy_coverage.policy.targets import Policy, Target

CITY = targets.CITY
"""The scope id of all counties together."""


def named(key: str, language: Language) -> str | None:
    """Return the label `key` if a catalogue has it."""
    return labels.text(key, language) if key in labels.catalogue() else None


def of_id(prefix: str, value: Any, language: Language) -> str:
    """Return the label ``outputs.<prefix>_<value>``; a value no catalogue knows is shown as it is."""
    if not fmt.known(value):
        return ""
    return named(f"outputs.{prefix}_{value}", language) or fmt.plain(value)


def kind(policy: Policy, value: Any, language: Language) -> str:
    """Return the policy's name of a kind of facility."""
    if not fmt.known(value):
        return ""
    found = policy.kinds.get(str(value))
    return labels.pick(found.name, language) if found else fmt.plain(value)


def premises(value: Any, language: Language) -> str:
    """Return what building a site would use."""
    return of_id("premises", value, language)


def basis(value: Any, language: Language) -> str:
    """Return how a value of the scorecard is known."""
    return of_id("basis", value, language)


def boundary(value: Any, language: Language) -> str:
    """Return how good a unit's boundary is."""
    return of_id("boundary", value, language)


def frame(value: Any, language: Language) -> str:
    """Return what kind of row a doubt is about."""
    return of_id("frame", value, language)


def met(value: Any, language: Language) -> str:
    """Return met, not met, or nothing where that is not known."""
    return labels.text(f"outputs.{'met' if value else 'not_met'}", language) if fmt.known(value) else ""


def flag(value: Any, language: Language) -> str:
    """Return yes, no, or nothing where that is not known."""
    return labels.text(f"outputs.{'yes' if value else 'no'}", language) if fmt.known(value) else ""


def reason(value: Any, language: Language) -> str:
    """Return a reason as a sentence: a reason id through its label, a sentence as it is."""
    if not fmt.known(value):
        return ""
    for room in ("coverage", "outputs", "study", "siting"):
        for key in (f"{room}.{value}", f"{room}.reason_{value}"):
            found = named(key, language) if "{" not in str(value) else None
            if found:
                return found
    return fmt.plain(value)


def target_of(policy: Policy, target_id: str) -> Target | None:
    """Return the target called `target_id`, or None if this policy has none of that id."""
    return next((target for target in policy.targets if target.id == target_id), None)


def measured_as(policy: Policy, target_id: str) -> str:
    """Return ``share``, ``count`` or ``other``: how the values of a target are written."""
    target = target_of(policy, target_id)
    if target is None:
        return "other"
    if target.rule.startswith("share") or target.rule.startswith("floor_area"):
        return "share"
    return "count" if target.rule in {"count_at_least", "each_done", "completed"} else "other"


def value_of(policy: Policy, target_id: str, value: Any) -> str:
    """Return a value of the scorecard as its target is written: a share as per cent, a count as a number."""
    if not fmt.known(value):
        return ""
    if measured_as(policy, target_id) == "share":
        return fmt.share(value)
    return fmt.number(value, 0 if float(value).is_integer() else 1)


def approval(number: str, language: Language) -> str:
    """Return the line of the map approval number, or that it is still to be had."""
    if number:
        return labels.text("outputs.approval", language, number=number)
    return labels.text("outputs.approval_missing", language)


def centre_kind(policy: Policy) -> str | None:
    """Return the kind of facility that the policy's coverage rates count: the centre."""
    for target in policy.targets:
        if target.measure.of == "unit_coverage":
            return target.measure.facility_kind
    return None
