"""Say in plain words what a plan's certificate proves, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words
from sy_coverage.siting import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer
    from sy_coverage.siting.plan import Certificate, SitingPlan


SHORT = ("budget_too_small", "target_missed")
"""What a plan within a budget says of the targets it misses."""


def plan_of(findings: Findings) -> SitingPlan | None:
    """Return the plan of the one scope these findings are about."""
    plans = findings.plans
    return plans.get(findings.scope_id) or (next(iter(plans.values())) if len(plans) == 1 else None)


def verdict(findings: Findings, writer: Writer) -> str:
    """Return in one sentence what is known of the plan: optimal, feasible with its gap, impossible, no answer."""
    plan = plan_of(findings)
    if plan is None:
        return writer.say("proof_no_plan")
    gap = fmt.share(plan.gap) if plan.gap is not None else ""
    if plan.status == "feasible" and _short(plan):
        return writer.say("proof_feasible_short", gap=gap)
    # with too little money the plan that comes nearest is a plan of its own, proved or not
    meanwhile = plan.status == "infeasible" and len(findings.proposals)
    if meanwhile or (plan.status == "optimal" and _short(plan)):
        return writer.say("proof_infeasible_meanwhile")
    return writer.say(f"proof_{plan.status}", gap=gap)


def _short(plan: SitingPlan) -> bool:
    return plan.figures.targets_met is False


def add(findings: Findings, writer: Writer) -> None:
    """Add the section's blocks: verdict, the table of stages, rules recomputed, our own search, limits of the proof."""
    plan = plan_of(findings)
    writer.text(verdict(findings, writer), strong=True)
    if plan is None:
        return
    for sentence in impossible(findings, plan):
        writer.text(sentence)
    certificate = plan.best.certificate
    if certificate is None:
        return
    writer.paragraph("proof_how", solver=certificate.solver)
    writer.table(
        "table_proof",
        (
            ("column_stage", "l", 3.4),
            ("column_value_plan", "r", 2),
            ("column_bound", "r", 2),
            ("column_proved", "c", 1.6),
        ),
        _stages(certificate, writer),
    )
    again = plan.figures.verification
    _rules(certificate.rules if again is None else list(again.rules.index), writer)
    if again is not None:
        writer.paragraph("proof_verified", value=fmt.number(again.objective, 1))
    if certificate.heuristic_value is not None:
        writer.paragraph("proof_own_search", value=fmt.number(certificate.heuristic_value, 1))
    if certificate.ties:
        names = findings.proposals["name"]
        sites = [str(names.get(site, site)) for site in certificate.ties]
        writer.paragraph("proof_ties", sites=labels.joined(map(fmt.plain, sites), findings.language))
    for note, sentence in NOTED.items():
        if note in certificate.notes:
            writer.paragraph(sentence)
    writer.paragraph("proof_limits")


NOTED = {
    "ties_not_settled": "proof_ties_open",
    "interrupted": "proof_interrupted",
    "memory_limit": "proof_memory_limit",
    "indistinct": "proof_indistinct",
}
"""What a certificate notes, and the sentence that says so."""


def _stages(certificate: Certificate, writer: Writer) -> list[list[str]]:
    rows = []
    for stage in certificate.stages:
        name = words.of_id("stage", stage.objective_id, writer.language)
        digits = 1 if stage.objective_id in {"cost", "elder_minutes", "home_minutes", "worst_min"} else 0
        rows.append(
            [
                name,
                fmt.number(stage.value, digits),
                fmt.number(stage.bound, digits),
                writer.say("proved_yes" if stage.proved else "proved_no"),
            ]
        )
    return rows


def _rules(rules: Iterable[str], writer: Writer) -> None:
    said = [words.of_id("rule", rule, writer.language) for rule in rules]
    if said:
        separator = "；" if writer.language == "zh" else "; "
        writer.paragraph("proof_rules", rules=separator.join(said))


def impossible(findings: Findings, plan: SitingPlan) -> list[str]:
    """Return, in planning words, why the targets cannot be met; nothing for a plan that meets them."""
    found = plan.findings
    if plan.status not in {"infeasible", "no_answer"} and len(found):
        found = found[found["reason_id"].isin(SHORT if _short(plan) else ())]
    if found.empty:
        return []
    if "sentence" in found.columns:
        return [str(s) for s in found["sentence"]]
    names = dict(findings.demand["name"]) | dict(findings.facilities["name"])
    names |= dict(findings.units["name"]) | dict(findings.counties["county"])
    said = sentences(
        found, findings.language, names=names, money=words.spoken_money(findings.policy, findings.language)
    )
    return [str(s) for s in said["sentence"]]
