"""Run a study county by county, on several processes of this machine or on a Dask cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.counties.cluster import cluster_crew
from sy_coverage.counties.crew import Failed
from sy_coverage.counties.processes import local_crew
from sy_coverage.counties.province import run_by_county
from sy_coverage.errors import ConfigError, SolverError, some
from sy_coverage.siting import SitingPlan
from sy_coverage.siting.planning.explain.sites import Told
from sy_coverage.siting.reasons import reason_frame
from sy_coverage.study.plans.alternatives import compared, plan_county
from sy_coverage.study.progress.job import Outcome
from sy_coverage.study.results.files import made_here
from sy_coverage.study.results.save import require_writable, save

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pandas import DataFrame

    from sy_coverage.counties.crew import Crew, Key
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.study.config.questions.compare import Compare
    from sy_coverage.study.study import Study


def run(
    study: Study,
    folder: str | os.PathLike[str] | None = None,
    *,
    counties: Sequence[str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    by_county: bool = False,
) -> Outcome:
    """Plan every county and make its files on several workers, and write what `study.save` would write.

    Inputs are read, and travel times computed, once and here; each worker is sent once what it needs of them. Plans, their
    reasons and the files of a county are made by the workers; only this process writes. Every file but the manifest's
    timings is byte for byte that of a run in one process.

    Parameters
    ----------
    folder
        Where to write; by default the study's own `output`.
    counties
        Write only the proposals and maps of these.
    workers
        Processes of this machine, 2 by default. They are started afresh, so a script of yours must call this under
        ``if __name__ == "__main__":``.
    scheduler
        Address of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, whose workers are used instead.
    by_county
        Work out every county by itself, with its own roads and surroundings, as a province needs it: memory does not grow
        with the number of counties, and a run that was interrupted goes on. See `province.run_by_county`.

    Returns
    -------
    outcome
        The folder, and the counties that failed. A county whose plan failed stands in every output as one without an
        answer; the others are complete.

    Raises
    ------
    ConfigError
        If both or impossible numbers of workers are asked for, Dask is not installed, or its workers run other versions.
    OfflineError
        If the scheduler does not answer or has no workers.
    CoverageError
        If the inputs are bad, or every county failed.
    CannotWriteError
        If the folder cannot be written.
    """
    target = Path(study.path(study.config.study.output) if folder is None else folder)
    require_writable(study.answers, target, whole=counties is None)
    limit_s = study.config.limits.county_s
    if by_county:
        if counties is not None:
            raise ConfigError("a run county by county is of all counties; leave out their names")
        return run_by_county(study, target, crew_of(workers=workers, scheduler=scheduler, limit_s=limit_s))
    with _files.locked(target), crew_of(workers=workers, scheduler=scheduler, limit_s=limit_s) as crew:
        counties = None if counties is None else [study.county_id(named) for named in counties]
        study = study if counties is None else study.only(counties)
        failed = plan_with(study, crew)

        def make(findings: Findings, county_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
            for key, answer in crew.work(_files_of, findings, county_ids):
                if isinstance(answer, Failed):
                    failed[str(key)] = answer.reason
                else:
                    yield from answer

        save(
            study.answers, target, counties=None if counties is None else tuple(counties), make_counties=make
        )
    return Outcome(folder=target, failed=dict(sorted(failed.items())))


def crew_of(
    *, workers: int | None = None, scheduler: str | None = None, limit_s: float = float("inf")
) -> AbstractContextManager[Crew]:
    """Hire `workers` processes of this machine (2 by default), or those of a Dask scheduler; dismiss them at the end.

    A county that takes longer than `limit_s`, or whose worker falls silent, is tried once more and then has failed.

    Raises
    ------
    ConfigError, OfflineError
        As `run`.
    """
    if scheduler is None:
        return local_crew(2 if workers is None else workers, limit_s=limit_s)
    if workers is not None:
        raise ConfigError("give a number of workers or the address of a scheduler, not both")
    return cluster_crew(scheduler, limit_s=limit_s)


def plan_with(study: Study, crew: Crew) -> dict[str, str]:
    """Give `study` the plan of every county, and return why those that failed did."""
    scopes, plans = study.scopes, {}
    tables: dict[Key, dict[str, DataFrame]] = {}
    reasons: dict[Key, str] = {}
    shared = study.task
    with study.progress("plans" if None not in scopes else "plan_of_city", total=len(scopes)) as advance:
        for key, answer in crew.work(_plan_of, shared, scopes):
            if isinstance(answer, Failed):
                reasons[key] = answer.reason
                plans[key], tables[key] = _no_plan(study, key), {}
            else:
                plans[key], tables[key] = answer
            advance()
    if len(reasons) == len(scopes):
        raise SolverError(f"no county could be planned: {some(sorted(set(reasons.values())), most=1)}")
    study.adopt(plans, tables)
    return {str(key): reason for key, reason in reasons.items()}


def _no_plan(study: Study, county_id: Key) -> SitingPlan:
    row = {"reason_id": "county_failed", "subject": county_id, "scope_id": county_id}
    return SitingPlan(
        sites=(),
        status="no_answer",
        objective=None,
        bound=None,
        gap=None,
        certificate=None,
        findings=reason_frame([row], policy=study.policy),
    )


# --- what a worker does -----------------------------------------------------------------------------------------------


def _plan_of(
    shared: tuple[Mapping[str, Any], Compare], county_id: Key
) -> tuple[SitingPlan, dict[str, DataFrame]]:
    case, asked = shared
    plan = plan_county(case, county_id)
    tables = compared(case, county_id, plan, asked)
    return _said(plan), tables


def _said(plan: SitingPlan) -> SitingPlan:
    """Return `plan` with its reasons worked out, so that what they come from need not travel."""
    figures, best = plan.figures, plan.best
    if best is not plan:
        figures = replace(figures, attainable=_said(best))
    return replace(plan, reasons=Told(plan.why()), figures=figures)


def _files_of(findings: Findings, county_id: str) -> list[tuple[str, bytes]]:
    return list(made_here(findings, [county_id]))
