"""Stop whole runs of a study again and again, then let one finish: it must give the bytes of an unbroken run.

    .venv/bin/python scripts/soak.py [study.toml] [--moments 40] [--workers N] [--ctrl-c]

Without a study it takes the shipped Shaoyang sample. Runs are stopped by kill -9, or by Ctrl-C with --ctrl-c (which must end
them with 130). Prints one line a stop; exits with 1 if any promise was broken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sy_coverage._files import sample_folder


def command(study: Path, out: Path, workers: int | None) -> list[str]:
    """Return the words that run `study` into `out`."""
    words = [sys.executable, "-m", "sy_coverage", "run", str(study), "--out", str(out)]
    return words if workers is None else [*words, "--workers", str(workers)]


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file under a final name; of the manifest, without its timings."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if ".writing-" in name or name == ".lock":
            continue
        content = path.read_bytes()
        if name == "manifest.json":
            manifest = json.loads(content)
            del manifest["timings"]
            content = json.dumps(manifest, sort_keys=True).encode()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def run(words: list[str]) -> float:
    """Run to the end and return the seconds it took."""
    begun = time.monotonic()
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(f"a run ended with {done.returncode}: {done.stderr.decode()}")
    return time.monotonic() - begun


def stopped(words: list[str], after: float, how: signal.Signals) -> int | None:
    """Run and send `how` to the whole process group after so many seconds; return how it ended, None if before that."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, how)
        return process.wait()
    return None


def main() -> None:
    """Kill, look, kill again; then let a run finish and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=sample_folder() / "study.toml")
    parser.add_argument("--moments", type=int, default=40)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--ctrl-c", action="store_true", help="stop by Ctrl-C, not by kill -9")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    whole, out = folder / "whole", folder / "out"
    seconds = run(command(given.study, whole, None))
    expected = digests(whole)
    plans = json.loads((whole / "manifest.json").read_bytes())["plans"]
    failed = sorted(county_id for county_id, plan in plans.items() if plan["status"] == "no_answer")
    if failed or not plans:
        sys.exit(
            f"the unbroken run itself has no plan of {failed or 'any county'}: nothing can be compared with it"
        )
    print(f"an unbroken run takes {seconds:.1f} s and writes {len(expected)} files", flush=True)
    how = signal.SIGINT if given.ctrl_c else signal.SIGKILL
    # 130, and to a shell that is what an end by the signal itself is; a run at its last step may end as if nothing was
    good = {None, 130, -signal.SIGINT, 0} if given.ctrl_c else {None, -signal.SIGKILL}
    broken = stops = 0
    words = command(given.study, out, given.workers)
    for moment in range(given.moments):
        after = seconds * (moment + 0.5) / given.moments
        begun = time.monotonic()
        code = stopped(words, after, how)
        if code is None:  # with workers, or less beside it, a run is quicker than the one that was measured
            seconds = time.monotonic() - begun
        there = digests(out) if out.exists() else {}
        wrong = [name for name, digest in there.items() if expected.get(name) != digest]
        ended = "had ended before" if code is None else f"ended with {code}"
        print(
            f"{how.name} {moment + 1:2d} after {after:6.1f} s: {ended}, {len(there):3d} files whole, {len(wrong)} not",
            flush=True,
        )
        broken += bool(wrong) or code not in good
        stops += code is not None
    run(words)
    final = digests(out)
    left = [str(p) for p in out.rglob(".writing-*")]
    same = final == expected and not left
    print(f"after the last stop a run gives {'the bytes of the unbroken run' if same else 'OTHER BYTES'}")
    few = stops < given.moments / 2
    if few:
        print(f"only {stops} of {given.moments} runs were stopped: the others had ended before")
    shutil.rmtree(folder)
    sys.exit(1 if broken or few or not same else 0)


if __name__ == "__main__":
    main()
