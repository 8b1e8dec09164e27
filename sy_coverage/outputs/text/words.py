"""Name in the reader's language what the frames hold as ids: kinds, premises, verdicts, reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.policy import targets
from sy_coverage.policy.targets import UnitKind, UnitName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.policy.targets import Policy, Target

CITY = targets.CITY
"""The scope id of all counties together."""


BESIDE = {mode: f"share_{mode}" for mode in ("drive", "ebike", "bike", "walk")}
"""The column of units with the share of elders within the cutoff today by a mode that is counted beside the one that counts."""


def shares_beside(units: DataFrame, language: Language) -> str:
    """Return in words which share of the elders of `units` is within the cutoff by each further mode; empty where none is counted."""
    said = []
    for mode, column in BESIDE.items():
        known = units[units[column].notna()] if column in units.columns else units.iloc[:0]
        if known["elders"].sum() > 0:
            share = float((known[column] * known["elders"]).sum() / known["elders"].sum())
            said.append(f"{of_id('mode', mode, language)} {fmt.share(share)}")
    return labels.joined(said, language)


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


def place(findings: Findings) -> str:
    """Return what the place is called that findings are about: a county, or all that the policy holds for."""
    if findings.scope_id != CITY:
        return findings.scope_name
    if len(findings.counties) == 1:
        return str(findings.counties["county"].iloc[0])
    return labels.pick(findings.policy.area, findings.language) or findings.scope_name


def target_of(policy: Policy, target_id: str) -> Target | None:
    """Return the target called `target_id`, or None if this policy has none of that id."""
    return next((target for target in policy.targets if target.id == target_id), None)


def target_name(target: Target, language: Language) -> str:
    """Return what the policy calls a target."""
    return labels.pick(target.name, language)


def at_home(policy: Policy, *, in_china: bool) -> Policy:
    """Return `policy` with what it leaves unsaid as it is where it holds: 10⁴ yuan, streets and townships are of China alone."""
    if in_china:
        money = labels.catalogue()["outputs.money"]
        return policy if policy.money else policy.model_copy(update={"money": money})
    if policy.unit_names:
        return policy
    said = labels.catalogue()
    names = {
        kind: UnitName(
            one=said[f"outputs.elsewhere_unit_{kind}"], many=said[f"outputs.elsewhere_units_{kind}"]
        )
        for kind in get_args(UnitKind)
    }
    return policy.model_copy(update={"unit_names": names})


def money(policy: Policy, language: Language) -> str:
    """Return in what costs are counted, as the policy says; empty where it does not."""
    return labels.pick(policy.money, language) if policy.money else ""


def spoken_money(policy: Policy, language: Language) -> str | None:
    """Return the money for sentences of reasons: None for 10⁴ yuan, of which they can also say single yuan."""
    return None if policy.money == labels.catalogue()["outputs.money"] else money(policy, language)


def amount(text: str, money: str, language: Language) -> str:
    """Return a cost with its money: ``230万元``, ``230 × 10⁴ yuan``, ``230 CHF``, or only the number."""
    if not text or not money:
        return text
    if language == "zh":
        return f"{text}{money}"
    return f"{text} × {money}" if money[:1].isdigit() else f"{text} {money}"


def centre(policy: Policy, language: Language) -> str:
    """Return what the policy calls the facility whose coverage it counts, as it stands within a sentence."""
    name = kind(policy, policy.coverage_kind, language)
    # within an English sentence it begins small, unless it is all capitals
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def common(findings: Findings) -> dict[str, str]:
    """Return what labels of every output may speak of: the money, the units that are counted, the centre."""
    policy, language = findings.policy, findings.language
    of_costs = money(policy, language)
    return {
        "money": of_costs,
        "in_money": labels.text("outputs.in_money", language, money=of_costs) if of_costs else "",
        "counted_units": (counted := counted_units(policy, language)),
        "units_heading": counted[:1].upper() + counted[1:],
        "unit_class": unit_class(policy, language),
        "unit_border": _border(policy, language),
        "centre": centre(policy, language),
    }


def _border(policy: Policy, language: Language) -> str:
    """Return what the border of a unit is called: 乡级界 where units are those of China, else after the units' own name."""
    if not policy.unit_names:
        return labels.text("outputs.border_in_china", language)
    return labels.text("outputs.border_of", language, name=unit_class(policy, language))


def said(findings: Findings, key: str, **values: object) -> str:
    """Return the label ``outputs.<key>`` in the language of the findings, with what is common to all of them filled in."""
    return labels.text(f"outputs.{key}", findings.language, **{**common(findings), **values})


def unit_name(policy: Policy, kind: str, language: Language, *, many: bool = False) -> str:
    """Return what one unit of a class (or, with `many`, several of them) is called: as the policy says, else street, township, other."""
    own = {str(key): name for key, name in policy.unit_names.items()}.get(kind)
    if own is not None:
        return labels.pick(own.many if many else own.one, language)
    return labels.text(f"outputs.{'units' if many else 'unit'}_{kind}", language)


def limits(policy: Policy, cutoff_min: Mapping[Any, float], kinds: Iterable[str], language: Language) -> str:
    """Return the time limits of those classes of units that are among `kinds`; one number where all have the same."""
    there = [kind for kind in get_args(UnitKind) if kind in set(kinds)]
    if len({cutoff_min[kind] for kind in there}) <= 1:
        return labels.text("outputs.limit_all", language, minutes=f"{cutoff_min[(there or ['other'])[0]]:g}")
    said = [
        labels.text(
            "outputs.limit_of",
            language,
            name=unit_name(policy, kind, language, many=True),
            minutes=f"{cutoff_min[kind]:g}",
        )
        for kind in there
    ]
    return labels.joined(said, language)


def unit_class(policy: Policy, language: Language) -> str:
    """Return the heading over the names of units: what they are called, or only that they are units."""
    named = [unit_name(policy, kind, language) for kind in policy.counted_unit_kinds]
    if len(named) == len(get_args(UnitKind)):
        named = list(dict.fromkeys(labels.pick(name.one, language) for name in policy.unit_names.values()))
    text = labels.text("outputs.or", language).join(dict.fromkeys(named)) or labels.text(
        "outputs.unit_any", language
    )
    return text[:1].upper() + text[1:]


def counted_units(policy: Policy, language: Language, *, many: bool = True) -> str:
    """Return what the units (or, not `many`, one) are called that the coverage rates count: streets and townships, municipalities."""
    kinds = policy.counted_unit_kinds
    if len(kinds) == len(get_args(UnitKind)) and not policy.unit_names:
        return labels.text("outputs.units_any" if many else "outputs.unit_any", language)
    named = [unit_name(policy, kind, language, many=many) for kind in kinds]
    return labels.text("outputs.and" if many else "outputs.or", language).join(dict.fromkeys(named))


def measured_as(policy: Policy, target_id: str) -> str:
    """Return ``share``, ``count`` or ``other``: how the values of a target are written."""
    target = target_of(policy, target_id)
    if target is None:
        return "other"
    if target.rule.startswith("share") or target.rule.startswith("floor_area"):
        return "share"
    return "count" if target.rule in {"count_at_least", "each_done", "completed"} else "other"


def goal_of(policy: Policy, target_id: str) -> float | None:
    """Return what a target asks for; None where the policy has no such target, or it asks for no number."""
    target = target_of(policy, target_id)
    return None if target is None else target.value


def value_of(policy: Policy, target_id: str, value: Any) -> str:
    """Return a value of the scorecard as its target is written: a share as per cent, a count as a number."""
    if not fmt.known(value):
        return ""
    if measured_as(policy, target_id) == "share":
        return fmt.share(value, goal=goal_of(policy, target_id))
    return fmt.number(value, 0 if float(value).is_integer() else 1)


def approval(findings: Findings) -> str:
    """Return the line of the map approval number, or that it is still to be had; nothing where no such number is needed."""
    number = fmt.plain(findings.approval_number)
    if number:
        return labels.text("outputs.approval", findings.language, number=number)
    return labels.text("outputs.approval_missing", findings.language) if findings.in_china else ""
