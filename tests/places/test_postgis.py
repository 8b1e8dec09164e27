"""Tables of a real PostGIS are read wherever a file is, and results come to lie in one, all of them or none."""

from __future__ import annotations

import builtins
import gzip
import json
import threading
import zipfile
import zlib

import geopandas as gpd
import pandas as pd
import pytest

from sy_coverage import _files, places, read_study
from sy_coverage.errors import (
    CannotWriteError,
    CoverageError,
    InputError,
    MissingCRSError,
    MissingFileError,
    OfflineError,
    UnreadableFileError,
)
from tests import toy
from tests.postgis_server import PASSWORD
from tests.study.test_cli import change, sy

GIVEN = ("units", "facilities", "candidates", "villages")


@pytest.fixture
def schema(postgis, request):
    """Give a schema of the test's own, empty before and gone after."""
    name = f"t{zlib.crc32(request.node.name.encode())}"
    postgis.sql(f"CREATE SCHEMA {name}")
    yield name
    postgis.sql(f"DROP SCHEMA {name} CASCADE")


def toy_tables():
    return {"units": toy.units(), "facilities": toy.facilities(), "candidates": toy.candidates(),
            "villages": toy.demand()}  # fmt: skip


@pytest.fixture
def filled(postgis, schema):
    """Give the address of a schema that holds the toy county."""
    _files.write_database(f"{postgis.address()}#{schema}", toy_tables())
    return f"{postgis.address()}#{schema}"


def test_units_facilities_and_villages_come_back_from_the_database_as_they_went_in(filled):
    units = places.read_units(f"{filled}.units")
    assert units.index.tolist() == list(toy.UNITS)
    assert units["name"].tolist() == ["城东街道", "甲镇", "乙镇", "丙乡"]
    assert units.geometry.geom_equals_exact(toy.units().geometry, tolerance=0).all()
    facilities = places.read_facilities(f"{filled}.facilities", units=units)
    assert facilities.index.tolist() == ["M1", "S1", "T1"]  # by primary key
    assert facilities["source"].tolist() == [
        f"{filled.rpartition('#')[2]}.facilities row {n}" for n in (1, 2, 3)
    ]
    assert facilities["coordinate_system"].tolist() == ["wgs84"] * 3
    villages = places.read_demand(f"{filled}.villages")
    assert villages["elders"].to_dict() == {v: float(e) for v, (_, e) in toy.VILLAGES.items()}


def test_row_08_a_table_of_a_database_is_held_to_the_limits_too(filled):
    with pytest.raises(UnreadableFileError, match=r"more than 2 rows.*\[limits\] with rows"):
        places.read_facilities(f"{filled}.facilities", limits=places.Limits(rows=2))
    with pytest.raises(UnreadableFileError, match=r"3 rows of up to \d+ columns.*\[limits\] with cells"):
        places.read_facilities(f"{filled}.facilities", limits=places.Limits(cells=10))


def test_a_table_without_a_key_has_ids_of_its_name_and_an_order_of_its_own(postgis, schema):
    postgis.sql(
        f'CREATE TABLE {schema}."养老 机构" (名称 text, 类型 text, "床位数" numeric, 经度 float8, 纬度 float8, 坐标系 text)',
        f"INSERT INTO {schema}.\"养老 机构\" VALUES ('乙敬老院', '敬老院', 30.00, 111.4, 27.1, '高德'),"
        "('甲敬老院', '敬老院', NULL, 111.2, 27.1, '高德'), ('007', '敬老院', 5, NULL, NULL, NULL)",
    )
    read = places.read_facilities(f"{postgis.address()}#{schema}.养老 机构")
    assert read.index.tolist() == [f"{schema}.养老 机构-{n}" for n in (1, 2, 3)]
    assert read["name"].tolist() == ["007", "乙敬老院", "甲敬老院"]
    assert read["beds"].fillna(-1).tolist() == [5, 30, -1]
    assert read["location_status"].tolist() == ["not_located", "located", "located"]


def test_points_of_another_srid_are_reprojected_and_of_none_are_refused(postgis, schema):
    metric = toy.facilities().to_crs(toy.CRS)
    _files.write_database(f"{postgis.address()}#{schema}", {"homes": metric})
    read = places.read_facilities(f"{postgis.address()}#{schema}.homes")
    expected = toy.facilities().sort_index().geometry.to_crs(toy.CRS)
    assert read.geometry.to_crs(toy.CRS).distance(expected).max() < 0.001
    postgis.sql(
        f"CREATE VIEW {schema}.bare AS SELECT facility_id, name, kind, ST_SetSRID(geometry, 0) AS geom FROM {schema}.homes"
    )
    with pytest.raises(MissingCRSError, match=rf"{schema}\.bare: no coordinate system is declared"):
        places.read_facilities(f"{postgis.address()}#{schema}.bare")
    # geography, as phones and web services store it
    postgis.sql(
        f"CREATE TABLE {schema}.geo AS SELECT facility_id, name, kind, ST_Transform(geometry, 4326)::geography AS spot FROM {schema}.homes"
    )
    spots = places.read_facilities(f"{postgis.address()}#{schema}.geo")
    assert spots.geometry.to_crs(toy.CRS).distance(expected.set_axis(spots.index)).max() < 0.001


def test_what_is_not_there_is_refused_by_name_and_without_the_password(postgis, filled):
    address, _, schema = filled.partition("#")
    wrong = {
        address: (UnreadableFileError, f"say which table.*{schema}.candidates"),
        f"{address}#{schema}.unit": (MissingFileError, f"no table '{schema}.unit' .nearest: {schema}.units"),
        f"{address.replace(PASSWORD, 'wrong')}#{schema}.units": (
            UnreadableFileError,
            "password authentication failed",
        ),
        f"{address.replace('/places', '/no')}#a.b": (UnreadableFileError, 'database "no" does not exist'),
        f"{address.replace('sy-pg', 'no-pg')}#a.b": (OfflineError, "cannot be reached"),
        f"postgresql://planner:{PASSWORD}@127.0.0.1:1/x#a.b": (OfflineError, "cannot be reached"),
        f"postgresql://planner:{PASSWORD}@h:no/x#a.b": (InputError, "no address of a database"),
    }
    for source, (kind, words) in wrong.items():
        with pytest.raises(kind, match=words) as caught:
            places.read_units(source)
        assert PASSWORD not in str(caught.value)
        assert "canary" not in repr(caught.value)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.split(".")[0] == "psycopg":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r'pip install "sy-coverage\[postgis\]"'):
        places.read_units("postgresql://u@h/d#s.t")


def test_reading_changes_nothing_even_where_a_view_would(postgis, schema):
    postgis.sql(
        f"CREATE TABLE {schema}.log (n int)",
        f"CREATE FUNCTION {schema}.noted() RETURNS text LANGUAGE sql VOLATILE AS "
        f"$$ INSERT INTO {schema}.log VALUES (1) RETURNING 'x' $$",
        f"CREATE VIEW {schema}.sly AS SELECT {schema}.noted() AS name",
    )
    with pytest.raises(UnreadableFileError, match="read-only transaction"):
        places.read_facilities(f"{postgis.address()}#{schema}.sly")
    assert postgis.sql(f"SELECT count(*) FROM {schema}.log") == [(0,)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p@ss:w/rd@h:5432/d#s.t", "postgresql://u@h:5432/d#s.t"),
        ("no: postgres://u:x@h/d?password=y&host=z.", "no: postgres://u@h/d?password=&host=z."),
        ("postgresql://h/d#s.t", "postgresql://h/d#s.t"),
    ],
)
def test_the_password_of_an_address_is_never_shown(text, shown):
    assert _files.without_password(text) == shown


def unpacked(path):
    """Return what a file holds, out of whatever it is packed in."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return b"\n".join(archive.read(member) for member in archive.namelist())
    return content


def all_rows(postgis, schema):
    tables = postgis.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' ORDER BY 1")
    return {t: sorted(postgis.sql(f"SELECT r::text FROM {schema}.{t} r")) for (t,) in tables}


def test_a_study_walks_from_the_database_into_the_database_without_ever_saying_the_password(
    postgis, filled, schema, tmp_path
):
    study = toy.write_study(tmp_path)
    change(study, "date = 2027-12-31", f'date = 2027-12-31\ndatabase = "{postgis.address()}#{schema}_out"')
    for name, file in zip(
        GIVEN, ("units.gpkg", "facilities.csv", "candidates.csv", "villages.csv"), strict=True
    ):
        change(study, f'"{file}"', f'"{filled}.{name}"')
        (tmp_path / file).unlink()
    checked = sy("check", study)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = sy("run", study, "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr

    written = gpd.read_file(tmp_path / "out" / "coverage.gpkg", layer="units")
    rows = postgis.sql(f"SELECT unit_id, covered_planned FROM {schema}_out.units ORDER BY unit_id")
    assert [r[0] for r in rows] == written["unit_id"].tolist()
    assert postgis.sql(f"SELECT obj_description('{schema}_out.proposals'::regclass)") == [
        ("试验县养老服务设施布局",)
    ]
    indexed = postgis.sql(
        f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}_out' AND tablename = 'units'"
    )
    assert {d for (i,) in indexed for d in ("gist (geometry)", "btree (unit_id)") if d in i} == {
        "gist (geometry)",
        "btree (unit_id)",
    }
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    shown = filled.replace(f":{PASSWORD}", "")
    assert set(manifest["inputs"]) == {*(f"{shown}.{name}" for name in GIVEN), "roads.osm"}
    assert all(len(digest) == 64 for digest in manifest["inputs"].values())
    assert manifest["tables"]["units"] == 4
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in unpacked(path), path
    for said in (checked, done):
        assert PASSWORD not in said.stdout + said.stderr
    assert PASSWORD not in repr(read_study(study).config)

    # once more while somebody's view leans on a table: first the same columns, then others
    before = all_rows(postgis, f"{schema}_out")
    assert sorted(before) == [
        "access_legs",
        "candidates",
        "catchments",
        "demand",
        "facilities",
        "proposals",
        "scorecard",
        "to_centre",
        "units",
    ]
    place = f"{postgis.address()}#{schema}_out"
    postgis.sql(f"CREATE VIEW {schema}_out.mine AS SELECT name FROM {schema}_out.facilities")
    with pytest.raises(
        CannotWriteError, match=r"view .*mine depends.*what was there before is untouched"
    ) as caught:
        _files.write_database(place, {"units": toy.units().iloc[:1], "facilities": toy.facilities()})
    assert PASSWORD not in str(caught.value)
    assert all_rows(postgis, f"{schema}_out") == before
    postgis.sql(f"DROP SCHEMA {schema}_out CASCADE")


def test_a_table_of_the_same_columns_is_filled_anew_and_its_views_and_grants_stay(postgis, schema):
    place = f"{postgis.address()}#{schema}"
    _files.write_database(place, {"units": toy.units(), "villages": toy.demand()})
    postgis.sql(
        f"CREATE VIEW {schema}.mine AS SELECT name FROM {schema}.units",
        f"GRANT SELECT ON {schema}.units TO PUBLIC",
        f"DELETE FROM {schema}.units",
    )
    # the second time one unit has several parts, which is another type of geometry
    units = toy.units()
    units.loc["990100200", "geometry"] = units.geometry["990100200"].union(units.geometry["990100001"])
    _files.write_database(place, {"units": units, "villages": toy.demand().iloc[:2]})
    assert postgis.sql(f"SELECT count(*) FROM {schema}.mine") == [(4,)]
    assert postgis.sql(f"SELECT has_table_privilege('public', '{schema}.units', 'SELECT')") == [(True,)]
    assert postgis.sql(f"SELECT count(*) FROM {schema}.villages") == [(2,)]
    kinds = postgis.sql(f"SELECT ST_GeometryType(geometry) FROM {schema}.units ORDER BY unit_id")
    assert [kind for (kind,) in kinds] == ["ST_Polygon"] * 3 + ["ST_MultiPolygon"]
    assert sorted(all_rows(postgis, schema)) == ["units", "villages"]


@pytest.mark.parametrize("name", ["50%", "%s", "100%(x)s", "a:b", 'q"u', "a b.c", "%%"])
def test_a_schema_a_table_and_a_column_may_have_any_name(postgis, name):
    quoted = name.replace('"', '""')
    place = f"{postgis.address()}#{name}"
    table = pd.DataFrame({f"{name} share": ["50%"]}, index=pd.Index(["a"], name=f"id {name}"))
    try:
        for _ in range(2):  # into nothing, then into tables of the same columns
            _files.write_database(place, {"units": toy.units(), f"t{name}": table}, comment=f"100% {name}")
        assert postgis.sql(f'SELECT * FROM "{quoted}"."t{quoted}"') == [("a", "50%")]
        assert places.read_units(f"{place}.units").index.tolist() == list(toy.UNITS)
        grid = _files.read_grid(f"{place}.t{name}")
        assert grid.cells == [[f"id {name}", f"{name} share"], ["a", "50%"]]
    finally:
        postgis.sql(f'DROP SCHEMA IF EXISTS "{quoted}" CASCADE')


def test_two_first_writers_to_a_schema_that_is_not_there_both_succeed(postgis):
    failed = []

    def write():
        try:
            _files.write_database(f"{postgis.address()}#fresh", {"units": toy.units()})
        except CoverageError as error:
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(5)]
    try:
        for _ in range(3):
            postgis.sql("DROP SCHEMA IF EXISTS fresh CASCADE")
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            writers = [threading.Thread(target=write) for _ in range(5)]
            assert failed == []
            assert postgis.sql("SELECT count(*) FROM fresh.units") == [(4,)]
    finally:
        postgis.sql("DROP SCHEMA IF EXISTS fresh CASCADE")


@pytest.mark.parametrize(
    ("grant", "said"), [("(name)", "only its columns name may be read"), (None, "may not read it")]
)
@pytest.mark.parametrize("named", ["{schema}.secret", "secret"])
def test_a_table_of_which_some_columns_or_none_may_be_read_is_refused_saying_what_to_ask_for(
    postgis, schema, grant, said, named
):
    postgis.sql(
        "DROP ROLE IF EXISTS clerk",
        "CREATE ROLE clerk LOGIN PASSWORD 'x'",
        f"GRANT USAGE ON SCHEMA {schema} TO clerk",
        f"CREATE TABLE {schema}.secret (id text, name text)",
        *([f"GRANT SELECT {grant} ON {schema}.secret TO clerk"] if grant else []),
    )
    place = f"{postgis.address(user='clerk', password='x')}#{named.format(schema=schema)}"  # noqa: S106
    try:
        with pytest.raises(UnreadableFileError, match=rf"{said}; ask for GRANT SELECT ON {schema}.secret"):
            _files.read_grid(place)
    finally:
        postgis.sql("DROP OWNED BY clerk", "DROP ROLE clerk")


@pytest.mark.parametrize("where", ["geometry", "plain", "index"])
def test_nul_in_a_text_is_refused_by_row_and_nothing_is_written(postgis, schema, where):
    table = pd.DataFrame({"said": ["a", "b\0c"]}, index=pd.Index(["i", "j"], name="id"))
    frames = {
        "geometry": {"units": toy.units().assign(name="a\0b")},
        "plain": {"units": toy.units(), "t": table},
        "index": {"units": toy.units(), "t": table.set_index("said")},
    }[where]
    with pytest.raises(CannotWriteError, match=r"NUL in the text of rows (1, 2, 3, 4|2),.*take it out"):
        _files.write_database(f"{postgis.address()}#{schema}", frames)
    assert postgis.sql(f"SELECT to_regclass('{schema}.units')") == [(None,)]


def test_a_census_in_the_database_decides_over_villages_there_and_its_rows_are_pinned(
    postgis, filled, schema, tmp_path
):
    postgis.sql(
        f"CREATE TABLE {schema}.census (乡镇 text, 县 text, elders int)",
        f"INSERT INTO {schema}.census VALUES ('城东街道', '试验县', 601), ('甲镇', NULL, 399), ('乙镇', NULL, 301), "
        "('丙乡', NULL, 300)",
    )
    study = toy.write_study(tmp_path)
    change(study, 'villages = "villages.csv"', f'villages = "{filled}.villages"\ncensus = "{filled}.census"')
    read = read_study(study)
    assert read.demand["elders"].sum() == 1601
    first = read.digest("census", f"{filled}.census")
    assert len(first) == 64
    postgis.sql(f"UPDATE {schema}.census SET elders = 300 WHERE 乡镇 = '乙镇'")
    again = read_study(study)
    assert again.demand["elders"].sum() == 1600
    assert again.digest("census", f"{filled}.census") != first
    assert again.digest("demand", f"{filled}.villages") == read.digest("demand", f"{filled}.villages")
