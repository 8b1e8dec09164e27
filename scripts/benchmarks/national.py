"""The nation: what planning every county of the country would take, from tasks measured on this machine."""

from __future__ import annotations

import pickle
import resource
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import argparse

COUNTIES = 2_800
"""County-level divisions of the country, rounded (2,843 at the end of 2023)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the national benchmark needs to know."""
    parser.add_argument("--study", help="a study to measure on; by default the shipped Shaoyang sample")
    parser.add_argument("--counties", type=int, default=COUNTIES)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 8, 32, 128])


def run(arguments: argparse.Namespace) -> None:
    """Measure one study's reading, planning and drawing by county, the cost of handing tasks over, and scale them up."""
    from sy_coverage import counties, read_study, sample_study

    study = read_study(arguments.study) if arguments.study else sample_study()
    begun = time.monotonic()
    case = study.case
    shared_s = time.monotonic() - begun
    plan_s, why_s = [], []
    for county_id in study.counties:
        begun = time.monotonic()
        plan = counties.plan_county(case, county_id)
        plan_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        plan.why()
        why_s.append(time.monotonic() - begun)
        study.adopt({county_id: plan})
    begun = time.monotonic()
    findings = study.findings
    gather_s = time.monotonic() - begun
    files_s, file_bytes = [], 0
    for county_id in study.counties:
        begun = time.monotonic()
        made = list(counties.made_here(findings, [county_id]))
        files_s.append(time.monotonic() - begun)
        file_bytes += sum(len(content) for _, content in made)
    handing_s, start_s, job_bytes = _overhead(case)

    n, scale = len(study.counties), arguments.counties
    each = np.array([plan_s, why_s, files_s])
    print(f"measured on {n} counties, {len(study.units)} units, {len(study.demand):,} villages:")
    print(f"  once a study   reading, roads and travel times {shared_s:7.1f} s, gathering {gather_s:.1f} s")
    for name, seconds in zip(("plan", "reasons", "files"), each, strict=True):
        print(
            f"  a county       {name:<8} mean {seconds.mean():6.2f} s, worst {seconds.max():6.2f} s, sum {seconds.sum():7.1f} s"
        )
    print(f"  a worker       starts in {start_s:.1f} s and is sent {job_bytes / 1e6:.1f} MB once")
    print(f"  a task         goes there and back in {1000 * handing_s:.1f} ms")
    print(f"  a county       leaves {file_bytes / n / 1e6:.2f} MB of files")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  this process   peak {peak:,.0f} MB")
    studies = -(-scale // n)
    serial = studies * (shared_s + gather_s)
    work = scale * (each.mean(axis=1).sum() + 2 * handing_s)
    print(f"estimated for {scale:,} counties in {studies} studies of {n} (not run):")
    print("  workers   all studies one after another   studies side by side   worker-hours")
    for workers in arguments.workers:
        after = serial + work / min(workers, n) + studies * start_s
        beside = (serial + work) / workers + start_s + each.sum(axis=0).max()
        print(
            f"  {workers:7,d}   {after / 3600:26.1f} h   {beside / 3600:18.1f} h   {(serial + work) / 3600:12.1f}"
        )
    print(
        f"  results: {scale * file_bytes / n / 1e9:.1f} GB; memory: {peak:,.0f} MB a study and as much again a worker at most"
    )


def _overhead(case: dict[str, object]) -> tuple[float, float, int]:
    """Return the seconds to hand over one task of no work, to start a worker, and the bytes it is sent."""
    from sy_coverage import counties

    keys = [str(i) for i in range(200)]
    with counties.crew_of(workers=1) as crew:
        begun = time.monotonic()
        list(crew.work(_nothing, case, keys[:1]))
        start = time.monotonic() - begun
        begun = time.monotonic()
        list(crew.work(_nothing, None, keys))
        handing = (time.monotonic() - begun) / len(keys)
    return handing, start, len(pickle.dumps(case))


def _nothing(shared: object, key: str) -> str:
    del shared
    return key
