"""Feed a parser with mutated files and stop at the first that is neither read nor refused by an error of ours.

    python scripts/fuzz.py tables|boundaries|osm|tags [--seconds 600] [--seed 1]

Where atheris is installed it steers by coverage (--atheris); otherwise seeds are mutated at random. What it finds is kept
in the working folder as ``fuzz-<parser>-<digest>.bin``; turn it into a test.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage import places, roads
from sy_coverage.errors import CoverageError
from sy_coverage.roads import tags

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_S = 20.0
"""One file that takes longer has found something too."""

CSV = "编号,名称,类型,经度,纬度,床位\n001,新邵县酿溪镇中心,service_centre,111.45,27.32,20\n002,=cmd,站,111°27′,27.3,\n"
GEOJSON = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"unit_id":"430522100","name":"酿溪镇",'
    '"county_id":"430522"},"geometry":{"type":"Polygon","coordinates":[[[111.4,27.3],[111.5,27.3],[111.5,27.4],[111.4,27.3]]]}}]}'
)
OSM = (
    '<?xml version="1.0"?><osm version="0.6"><node id="1" version="1" lat="27.3" lon="111.4"/><node id="2" version="1" '
    'lat="27.3" lon="111.5"/><way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="trunk"/>'
    '<tag k="maxspeed" v="60"/></way></osm>'
)


def _workbook() -> bytes:
    import openpyxl

    book, memory = openpyxl.Workbook(), io.BytesIO()
    for line in CSV.splitlines():
        book.active.append(line.split(","))
    book.save(memory)
    return memory.getvalue()


def _stored(packed: bytes) -> bytes:
    """Return an archive without compression, so that mutations reach what is inside."""
    memory = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(memory, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return memory.getvalue()


def _through_a_file(read: Callable[[Path], object], suffix: str) -> Callable[[bytes], None]:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))

    def feed(content: bytes) -> None:
        path = folder / f"fuzzed{suffix}"
        path.write_bytes(content)
        read(path)

    return feed


def _tags(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    for parse in (getattr(tags, name) for name in ("maxspeed_kph", "duration_min") if hasattr(tags, name)):
        found = parse(text)
        if found is not None and not 0 < found < float("inf"):
            raise AssertionError(f"{text!r} is read as {found}")


PARSERS: dict[str, tuple[list[bytes], Callable[[], Callable[[bytes], None]]]] = {
    "tables": (
        [CSV.encode(), CSV.encode("gb18030"), CSV.encode("utf-16"), CSV.replace(",", "\t").encode(), b"PK"],
        lambda: _through_a_file(
            lambda p: places.read_facilities([p], coordinate_system="wgs84", units=None), ".csv"
        ),
    ),
    "boundaries": (
        [GEOJSON.encode(), GEOJSON.encode("gb18030")],
        lambda: _through_a_file(lambda p: places.read_units(p, coordinate_system="wgs84"), ".geojson"),
    ),
    "osm": ([OSM.encode()], lambda: _through_a_file(roads.read_osm, ".osm")),
    "tags": ([b"50", b"50 mph", b"30;50", b"CN:urban", b"PT1H30M", b"01:30:00", b"walk"], lambda: _tags),
}


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Return `seed` with a few bytes or stretches changed, dropped, doubled or replaced by what parsers dislike."""
    content = bytearray(seed)
    words = [
        b"\0",
        b"\xff\xfe",
        b'"',
        b"\n",
        b"NaN",
        b"1e400",
        b"-1",
        b"\xef\xbb\xbf",
        b"\x80",
        b"{{",
        b"<!ENTITY",
        b"[" * 50,
    ]
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        end = min(len(content), at + chance.randint(1, 12))
        match chance.randrange(5):
            case 0 if at < len(content):
                content[at] = chance.randrange(256)
            case 1:
                del content[at:end]
            case 2:
                content[at:at] = content[at:end] * chance.randint(1, 4)
            case 3:
                content[at:at] = chance.choice(words)
            case _:
                del content[chance.randint(at, len(content)) :]
    return bytes(content)


def tried(feed: Callable[[bytes], None], content: bytes) -> str | None:
    """Return what went wrong, or None where the file was read or refused as it should be."""
    begun = time.monotonic()
    try:
        feed(content)
    except CoverageError:
        pass
    except Exception:  # noqa: BLE001  (whatever else comes out is what we look for)
        return traceback.format_exc()
    seconds = time.monotonic() - begun
    return f"took {seconds:.0f} s" if seconds > LONGEST_S else None


def main() -> None:
    """Fuzz one parser for some time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parser", choices=sorted(PARSERS))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="steer by coverage")
    given = parser.parse_args()
    seeds, make = PARSERS[given.parser]
    if given.parser == "tables":
        seeds = [*seeds, _stored(_workbook())]
    feed = make()
    warnings.simplefilter("ignore")

    def check(content: bytes) -> None:
        wrong = tried(feed, content)
        if wrong is not None:
            kept = Path(f"fuzz-{given.parser}-{hashlib.sha256(content).hexdigest()[:12]}.bin")
            kept.write_bytes(content)
            sys.exit(f"{wrong}\nkept as {kept}")

    for seed in seeds:
        check(seed)
    if given.atheris:
        import atheris

        atheris.Setup([sys.argv[0], f"-max_total_time={int(given.seconds)}"], check)
        atheris.Fuzz()
        return
    chance = random.Random(given.seed)  # noqa: S311  (mutations, no secrets)
    end, count = time.monotonic() + given.seconds, 0
    while time.monotonic() < end:
        check(mutated(chance.choice(seeds), chance))
        count += 1
    print(f"{given.parser}: {count:,} files in {given.seconds:.0f} s, each read or refused as it should be")


if __name__ == "__main__":
    main()
