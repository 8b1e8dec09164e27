"""Feed a parser with mutated files and look for one that is neither read nor refused by an error of ours.

    python scripts/fuzz.py tables|boundaries|osm|tags [--atheris] [--seconds 600] [--seed 1] [--keep-going]

With --atheris (``pip install atheris``) mutations are steered by what they reach in this package; otherwise seeds are
mutated at random. What is found is kept in the working folder as ``fuzz-<parser>-<digest>.bin``; turn it into a test.
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
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_S = 20.0
"""One file that takes longer has found something too."""

CSV = (
    "编号,名称,类型,经度,纬度,床位,老年人数\n001,新邵县酿溪镇中心,service_centre,111.45,27.32,20,310\n"
    "002,=cmd,站,111°27′,27.3,,120\n"
)
POINTS = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"酿溪镇中心","kind":"service_centre",'
    '"elders":310},"geometry":{"type":"Point","coordinates":[111.45,27.32]}}]}'
)
GEOJSON = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"unit_id":"430522100","name":"酿溪镇",'
    '"county_id":"430522"},"geometry":{"type":"Polygon","coordinates":[[[111.4,27.3],[111.5,27.3],[111.5,27.4],[111.4,27.3]]]}}]}'
)
OSM = (
    '<?xml version="1.0"?><osm version="0.6"><node id="1" version="1" lat="27.3" lon="111.4"/><node id="2" version="1" '
    'lat="27.3" lon="111.5"/><way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="trunk"/>'
    '<tag k="maxspeed" v="60"/></way></osm>'
)

GRAPHML = (
    '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="x" for="node" attr.name="x" '
    'attr.type="string"/><key id="y" for="node" attr.name="y" attr.type="string"/><key id="h" for="edge" '
    'attr.name="highway" attr.type="string"/><key id="l" for="edge" attr.name="length" attr.type="string"/>'
    '<key id="c" for="graph" attr.name="crs" attr.type="string"/><graph edgedefault="directed"><data key="c">epsg:4326'
    '</data><node id="1"><data key="x">111.4</data><data key="y">27.3</data></node><node id="2"><data key="x">111.5'
    '</data><data key="y">27.3</data></node><edge source="1" target="2"><data key="h">primary</data><data key="l">9900'
    "</data></edge></graph></graphml>"
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


def written(suffix: str, *, text: str = GEOJSON) -> bytes:
    """Return the boundaries of the seed as a file of another kind."""
    import geopandas as gpd

    frame = gpd.read_file(io.StringIO(text))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / f"seed{suffix}"
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_file(path)
        return path.read_bytes()


def _ending(content: bytes) -> str:
    """Return the end of a name that goes with what is inside, lest its reader warn of another."""
    for start, ending in (
        (b"SQLite", ".gpkg"),
        (b"fgb", ".fgb"),
        (b"PAR1", ".parquet"),
        (b"PK", ".xlsx"),
        (b"{", ".geojson"),
    ):
        if content.startswith(start):
            return ending
    return ".csv"


def _suffix(content: bytes) -> str:
    """Return the name's end by which a road extract is told from another."""
    if b"<graphml" in content:
        return ".graphml"
    return ".osm.pbf" if content.startswith(b"\0\0") else ".osm"


class Files:
    """Give the content of one file to each of some readers, and count how often each has read one."""

    def __init__(self, *readers: Callable[[Path], object], suffix: Callable[[bytes], str]) -> None:
        """Begin with nothing read."""
        self.readers, self.suffix = readers, suffix
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self.read = [0] * len(readers)

    def __call__(self, content: bytes) -> None:
        """Feed `content`."""
        from sy_coverage.errors import CoverageError

        path = self.folder / f"fuzzed{self.suffix(content)}"
        path.write_bytes(content)
        for n, read in enumerate(self.readers):
            try:
                read(path)
            except CoverageError:
                continue
            self.read[n] += 1


def require_read(feed: Any, seeds: list[bytes]) -> None:
    """Feed the seeds, each of which every reader must read: what is refused at its door is not fuzzed."""
    for number, seed in enumerate(seeds):
        feed(seed)
        if isinstance(feed, Files) and any(count != number + 1 for count in feed.read):
            raise SystemExit(f"seed {number} is refused by a reader: {feed.read} of {number + 1} were read")


def _tables() -> Callable[[bytes], None]:
    from sy_coverage import places

    return Files(
        lambda p: places.read_facilities([p], coordinate_system="wgs84", units=None),
        lambda p: places.read_demand(p, coordinate_system="wgs84"),
        suffix=_ending,
    )


def _boundaries() -> Callable[[bytes], None]:
    from sy_coverage import places

    return Files(
        lambda p: places.read_units(p, coordinate_system="wgs84", invalid="repair"),
        suffix=_ending,
    )


def _osm() -> Callable[[bytes], None]:
    from sy_coverage import roads

    return Files(roads.read_osm, suffix=_suffix)


def _tags() -> Callable[[bytes], None]:
    from sy_coverage.roads.read import tags

    def feed(content: bytes) -> None:
        text = content.decode("utf-8", "replace")
        for parse in (tags.maxspeed_kph, tags.duration_min):
            found = parse(text)
            if found is not None and not 0 < found < float("inf"):
                raise AssertionError(f"{text!r} is read as {found}")

    return feed


MAKERS: dict[str, Callable[[], Callable[[bytes], None]]] = {
    "tables": _tables,
    "boundaries": _boundaries,
    "osm": _osm,
    "tags": _tags,
}


def seeds_of(parser: str) -> list[bytes]:
    """Return good files of every kind that `parser` reads."""
    if parser == "tables":
        texts = [CSV.encode(), CSV.encode("gb18030"), CSV.encode("utf-16"), CSV.replace(",", "\t").encode()]
        return [*texts, _stored(_workbook()), *(written(kind, text=POINTS) for kind in (".gpkg", ".parquet"))]
    if parser == "boundaries":
        return [GEOJSON.encode(), GEOJSON.encode("gb18030"), *map(written, (".gpkg", ".fgb", ".parquet"))]
    if parser == "osm":
        return [OSM.encode(), GRAPHML.encode(), _pbf()]
    return [b"50", b"50 mph", b"30;50", b"CN:urban", b"PT1H30M", b"01:30:00", b"walk"]


def _pbf() -> bytes:
    import osmium

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "seed.osm.pbf"
        with osmium.SimpleWriter(str(path)) as writer:
            for found in osmium.FileProcessor(osmium.io.FileBuffer(OSM.encode(), "osm")):
                writer.add(found)
        return path.read_bytes()


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
    except Exception:  # noqa: BLE001  (whatever else comes out is what we look for)
        return traceback.format_exc()
    seconds = time.monotonic() - begun
    return f"took {seconds:.0f} s" if seconds > LONGEST_S else None


class Check:
    """Feed one file after another, and keep each that shows something new."""

    def __init__(self, parser: str, feed: Callable[[bytes], None], *, keep_going: bool) -> None:
        """Count from nothing."""
        self.parser, self.feed, self.keep_going = parser, feed, keep_going
        self.count = 0
        self.seen: set[str] = set()

    def __call__(self, content: bytes) -> None:
        """Feed `content`."""
        self.count += 1
        wrong = tried(self.feed, content)
        if wrong is None:
            return
        where = "".join(line for line in wrong.splitlines() if line.startswith("  File"))
        if where in self.seen:
            return
        self.seen.add(where)
        kept = Path(f"fuzz-{self.parser}-{hashlib.sha256(content).hexdigest()[:12]}.bin")
        kept.write_bytes(content)
        print(f"{wrong}\nkept as {kept}", flush=True)
        if not self.keep_going:
            sys.exit(1)


def _steered(check: Check, seeds: list[bytes], seconds: float) -> None:
    """Let atheris mutate `seeds`, and what it found to reach further, for some time; it ends this process."""
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={int(seconds)}", "-rss_limit_mb=4096", "-timeout=60", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], check)
    atheris.Fuzz()


def main() -> None:
    """Fuzz one parser for some time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parser", choices=sorted(MAKERS))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="steer by coverage")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first that is found")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = seeds_of(given.parser)
    watching: Any = nullcontext()
    if given.atheris:
        import atheris

        watching = atheris.instrument_imports(include=["sy_coverage"])
    with watching:
        feed = MAKERS[given.parser]()
        require_read(feed, seeds)  # also opens what is opened late
    check = Check(given.parser, feed, keep_going=given.keep_going)
    if given.atheris:
        _steered(check, seeds, given.seconds)
        return
    chance = random.Random(given.seed)  # noqa: S311  (mutations, no secrets)
    end = time.monotonic() + given.seconds
    while time.monotonic() < end:
        check(mutated(chance.choice(seeds), chance))
    found = f"{len(check.seen)} found" if check.seen else "each read or refused as it should be"
    print(f"{given.parser}: {check.count:,} files in {given.seconds:.0f} s, {found}")
    sys.exit(bool(check.seen))


if __name__ == "__main__":
    main()
