"""The door to PostGIS: read a table as text cells, write results in one transaction, and never say a password."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from pyproj import CRS

from sy_coverage._files.addresses import without_password
from sy_coverage._files.gate import connection_rules
from sy_coverage._files.grids import Grid
from sy_coverage._files.limits import USUAL, Limits
from sy_coverage.errors import (
    CannotWriteError,
    InputError,
    MissingFileError,
    OfflineError,
    UnreadableFileError,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geopandas import GeoSeries
    from pandas import DataFrame

CONNECT_S = 10
"""A server that does not answer within so many seconds is not there."""
PASSING = "sy_coverage_passing"
"""A schema in which a table is made whose own schema has a name that geopandas cannot write; gone when it is made."""
_NO_ENTRY = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "not permitted",
    "no pg_hba.conf entry",
)


def _sqlalchemy() -> Any:
    """Return SQLAlchemy, or refuse in a sentence where the packages of the extra are not installed."""
    try:
        import geoalchemy2  # noqa: F401, PLC0415  (found missing here, not half-way)
        import psycopg  # noqa: F401, PLC0415
        import sqlalchemy  # noqa: PLC0415
    except ImportError:
        raise InputError(
            'databases need the extra "postgis"; install it with: pip install "sy-coverage[postgis]"'
        ) from None
    return sqlalchemy


@contextmanager
def _connected(address: str, **options: Any) -> Iterator[Any]:
    """Give a connection inside one transaction, kept when the block ends well and undone when it does not.

    Raises
    ------
    InputError
        If the packages for it are not installed, or the address is none.
    OfflineError, UnreadableFileError
        If the server is not reached, or does not let us in.
    """
    sa = _sqlalchemy()
    try:
        url = sa.engine.make_url(address).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError):
        raise InputError(
            f"{without_password(address)}: no address of a database; write postgresql://user@host:5432/name#schema.table"
        ) from None
    try:
        rules = connection_rules(url.get_dialect()().create_connect_args(url)[1], os.environ)
    except InputError as error:
        raise InputError(f"{without_password(address)}: {str(error).partition(': ')[2]}") from None
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.NullPool,
        connect_args={"connect_timeout": CONNECT_S, **rules},
        hide_parameters=True,
    )
    try:
        connection = engine.connect().execution_options(**options)
    except sa.exc.DBAPIError as error:
        reason = _reason(error)
        place = without_password(address)
        if any(words in reason for words in _NO_ENTRY):
            raise UnreadableFileError(
                f"{place}: the database refuses us ({reason}); check its name, the user, and PGPASSWORD or ~/.pgpass"
            ) from None
        if "authentication method requirement" in reason:
            raise UnreadableFileError(
                f"{place}: the server asks for the password in clear, which is not handed over ({reason}); let it use scram-sha-256, "
                "or give it a certificate and write sslmode=verify-full"
            ) from None
        raise OfflineError(
            f"{place}: the database cannot be reached ({reason}); check host and port, and that it speaks TLS"
        ) from None
    try:
        with connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def _reason(error: Any) -> str:
    """Return what the server or its driver says is wrong, in one line and without any password."""
    fault = getattr(error, "orig", None) or error
    said = getattr(fault, "diag", None)
    parts = [said.message_primary, said.message_detail] if said is not None and said.message_primary else []
    words = "; ".join(part for part in parts if part) or str(fault)
    return without_password(" ".join(words.split()))


def _quoted(*names: str) -> str:
    """Return the name of something in the database, such as a schema and its table, as SQL writes it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _run(connection: Any, sql: str, *values: object) -> Any:
    """Run SQL in which names are quoted; each `?` stands for one of the `values`, and ``%`` for itself."""
    written = sql.replace("%", "%%")
    for _ in values:
        written = written.replace("?", "%s", 1)
    return connection.exec_driver_sql(written, values)


def _tables(connection: Any) -> dict[str, tuple[int, str, str]]:
    """Return what may be read: ``schema.name`` to oid, schema and name, sorted."""
    sa = _sqlalchemy()

    rows = connection.execute(
        sa.text(
            "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname <> 'information_schema' "
            r"AND n.nspname NOT LIKE 'pg\_%' AND has_table_privilege(c.oid, 'SELECT') AND c.relname NOT IN "
            "('spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews') "
            'ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"'
        )
    )
    return {f"{schema}.{name}": (int(oid), schema, name) for oid, schema, name in rows}


def _one_table(connection: Any, wanted: str | None, place: str) -> tuple[str, int, str, str]:
    """Return ``schema.name``, oid, schema and name of the table that is meant."""
    there = _tables(connection)
    _refuse_forbidden(connection, wanted, there, place)
    if not there:
        raise MissingFileError(f"{place}: there is no table in this database that may be read")
    if wanted is None:
        raise UnreadableFileError(
            f"{place}: say which table, as {place}#{next(iter(there))} (there are: {some(there)})"
        )
    found = [full for full, (_, _, name) in there.items() if wanted in (full, name)]
    if wanted in found:
        found = [wanted]
    if len(found) > 1:
        raise UnreadableFileError(
            f"{place}: several tables are called '{wanted}': {some(found)}; say which one"
        )
    if not found:
        near = difflib.get_close_matches(wanted, list(there), n=5, cutoff=0.3) or list(there)
        raise MissingFileError(
            f"{place}: there is no table '{wanted}' (nearest: {some(near)}); check its name"
        )
    return found[0], *there[found[0]]


def _refuse_forbidden(connection: Any, wanted: str | None, there: Mapping[str, Any], place: str) -> None:
    """Refuse a table that is there, but of which this user may read some columns only, or none."""
    if wanted is None or wanted in there or any(name == wanted for _, _, name in there.values()):
        return
    rows = _run(
        connection,
        "SELECT n.nspname || '.' || c.relname, array_remove(array_agg(CASE WHEN has_column_privilege(c.oid, a.attnum, 'SELECT') "
        "THEN a.attname::text END ORDER BY a.attnum), NULL) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND (n.nspname || '.' || c.relname = ? OR c.relname = ?) "
        "GROUP BY 1 ORDER BY 1",
        wanted,
        wanted,
    ).all()
    for full, columns in rows:
        part = f"only its columns {some(columns)} may be read" if columns else "this user may not read it"
        raise UnreadableFileError(
            f"{place}: the table '{full}' is there, but {part}; ask for GRANT SELECT ON {full}, or name a view of what may be read"
        )


def _columns(connection: Any, oid: int) -> list[tuple[str, str, bool]]:
    """Return name, type and membership in the primary key of every column of a table, in order."""
    sa = _sqlalchemy()

    rows = connection.execute(
        sa.text(
            "SELECT a.attname, t.typname, coalesce(a.attnum = ANY (i.indkey), false) FROM pg_attribute a "
            "JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary "
            "WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ),
        {"oid": oid},
    )
    return [(str(name), str(kind), bool(key)) for name, kind, key in rows]


def read_database(
    source: str | os.PathLike[str], *, layer: str | None = None, limits: Limits = USUAL
) -> Grid:
    """Return a table or view of a PostgreSQL database as text cells, in the order of its primary key.

    Parameters
    ----------
    source
        ``postgresql://user@host:5432/name#schema.table``; the password is better kept in ``PGPASSWORD`` or ``~/.pgpass``.
    layer
        ``schema.table``, where `source` does not say it.

    Returns
    -------
    grid
        Every column as the database writes it; a geometry or geography column as shapes in the CRS its SRID names (none:
        0). Its notes carry the digest of the rows that were read.

    Raises
    ------
    InputError, OfflineError, MissingFileError, UnreadableFileError
        If it cannot be reached, there is no such table, or it has more rows or cells than `limits` allow.
    """
    sa = _sqlalchemy()

    address, _, named = os.fspath(source).partition("#")
    place = without_password(address)
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with _connected(address, **options) as connection:
            full, oid, schema, name = _one_table(connection, layer or named or None, place)
            table = _quoted(schema, name)
            count = _run(connection, f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608  (quoted)
            limits.check_rows(count, full)
            columns = _columns(connection, oid)
            limits.check_cells(count, len(columns), full)
            keys = [f"r.{_quoted(column)}" for column, _, is_key in columns if is_key]
            order = ", ".join(keys) or 'CAST(r.* AS text) COLLATE "C"'
            chosen = ", ".join(f"CAST(r.{_quoted(column)} AS text)" for column, _, _ in columns)
            query = f"SELECT {chosen} FROM {table} AS r ORDER BY {order}"  # noqa: S608  (quoted)
            rows = [["" if v is None else str(v) for v in row] for row in _run(connection, query)]
            return _grid(connection, full, columns, rows)
    except sa.exc.DBAPIError as error:
        raise UnreadableFileError(f"{place}: cannot be read ({_reason(error)})") from None


def _grid(connection: Any, full: str, columns: list[tuple[str, str, bool]], rows: list[list[str]]) -> Grid:
    digest = hashlib.sha256(json.dumps([columns, rows], ensure_ascii=False).encode()).hexdigest()
    spatial = [i for i, (_, kind, _) in enumerate(columns) if kind in ("geometry", "geography")]
    if len(spatial) > 1:
        raise UnreadableFileError(
            f"{full}: several columns of geometry ({some([columns[i][0] for i in spatial])}); make a view with one of them"
        )
    shapes = _shapes(connection, full, [row[spatial[0]] for row in rows]) if spatial else None
    plain = [i for i in range(len(columns)) if i not in spatial]
    cells = [[columns[i][0] for i in plain], *([row[i] for i in plain] for row in rows)]
    return Grid(full, cells, 0, geometry=shapes, notes=(("table", full), ("rows_digest", digest)), stem=full)


def _shapes(connection: Any, full: str, written: list[str]) -> GeoSeries:
    """Return shapes from their hexadecimal EWKB, in the CRS of the one SRID they carry."""
    shapes = shapely.from_wkb([text or None for text in written])
    srids = sorted({int(srid) for srid in shapely.get_srid(shapes[~shapely.is_missing(shapes)])})
    if len(srids) > 1:
        raise UnreadableFileError(
            f"{full}: geometry of several SRIDs ({some(srids)}); give each a table of its own"
        )
    return gpd.GeoSeries(shapely.set_srid(shapes, 0), crs=_crs(connection, srids[0]) if srids else None)


def _crs(connection: Any, srid: int) -> Any:
    sa = _sqlalchemy()

    if srid == 0:
        return None
    schema = connection.execute(
        sa.text("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'spatial_ref_sys'")
    ).scalar()
    query = f"SELECT auth_name, auth_srid, srtext FROM {schema}.spatial_ref_sys WHERE srid = ?"  # noqa: S608  (of the catalogue)
    known = _run(connection, query, srid).one_or_none()
    if known is None or (known[0] == "EPSG" and known[1]):
        return CRS.from_epsg(srid if known is None else known[1])
    return CRS.from_wkt(known[2])


def split_schema(place: str) -> tuple[str, str]:
    """Return the address of a database and the schema named after its ``#`` (``public`` if none is)."""
    address, _, schema = place.partition("#")
    return address, schema or "public"


def _ready(connection: Any, place: str, schema: str) -> None:
    """Refuse a database without PostGIS, or a schema that may not be written; make the schema if it is not there."""
    sa = _sqlalchemy()

    home = connection.execute(
        sa.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'postgis'")
    ).scalar()
    if home is None:
        raise CannotWriteError(
            f"{place}: the database has no PostGIS; run CREATE EXTENSION postgis in it once"
        )
    # two runs that write here at once wait for each other, also where both find no schema
    _run(connection, "SELECT pg_advisory_xact_lock(hashtext(?))", f"sy_coverage {schema}")
    if not _run(connection, "SELECT 1 FROM pg_namespace WHERE nspname = ?", schema).scalar():
        _run(connection, f"CREATE SCHEMA {_quoted(schema)}")
    may = connection.execute(sa.text("SELECT has_schema_privilege(:n, 'CREATE')"), {"n": schema}).scalar_one()
    if not may:
        raise CannotWriteError(
            f"{place}: this user may not make tables in the schema '{schema}'; ask for GRANT CREATE"
        )
    _run(connection, f"SET LOCAL search_path = public, {_quoted(home.strip(chr(34)))}")


@contextmanager
def _writing(place: str) -> Iterator[tuple[Any, str]]:
    """Give a connection and a schema that is ready to be written; failures leave what was there untouched."""
    sa = _sqlalchemy()

    address, schema = split_schema(place)
    shown = f"{without_password(address)}#{schema}"
    try:
        with _connected(address) as connection:
            _ready(connection, shown, schema)
            yield connection, schema
    except sa.exc.DBAPIError as error:
        raise CannotWriteError(
            f"{shown}: cannot be written ({_reason(error)}); what was there before is untouched"
        ) from None


def require_database(place: str) -> None:
    """Refuse, before any work is done, a database that could not be written later; nothing is changed.

    Raises
    ------
    CannotWriteError, InputError, OfflineError, UnreadableFileError
        If it cannot be reached, has no PostGIS, or its schema may not be written.
    """
    with _writing(place) as (connection, _):
        connection.rollback()


def write_database(place: str, frames: Mapping[str, DataFrame], *, comment: str = "") -> None:
    """Write each frame as a table of the schema `place` names: all of them or none, old tables whole until then.

    Parameters
    ----------
    place
        ``postgresql://user@host:5432/name#schema``.
    frames
        By table; the index becomes the primary key, geometry a column with a spatial index. A table that has the same
        columns is filled anew, so that views of it and grants on it stay; any other is replaced.
    comment
        What every table says of itself.

    Raises
    ------
    CannotWriteError, InputError, OfflineError, UnreadableFileError
        If the database cannot be reached or refuses; what was there before is untouched.
    """
    for name, frame in frames.items():
        _refuse_nul(name, frame)
    with _writing(place) as (connection, schema):
        for name, frame in frames.items():
            _replace(connection, schema, name, frame)
            text = comment.replace("'", "''").replace("\0", "")
            _run(connection, f"COMMENT ON TABLE {_quoted(schema, name)} IS '{text}'")


def _refuse_nul(name: str, frame: DataFrame) -> None:
    """Refuse texts with NUL, which PostgreSQL keeps in no column."""
    flat = frame.reset_index()
    for column in flat.columns:
        wrong = [i for i, value in enumerate(flat[column]) if isinstance(value, str) and "\0" in value]
        if wrong:
            raise CannotWriteError(
                f"table '{name}', column '{column}': NUL in the text of rows {some(n + 1 for n in wrong)}, which PostgreSQL "
                "keeps nowhere; take it out of the lists"
            )


def _replace(connection: Any, schema: str, name: str, frame: DataFrame) -> None:
    """Put `frame` in the place of a table: into it where its columns are the same, so that views and grants stay."""
    table, fresh = _quoted(schema, name), _quoted(schema, f"{name}__new")
    before = _types(connection, table)
    if not before:
        _create(connection, schema, name, frame)
        return
    _run(connection, f"DROP TABLE IF EXISTS {fresh}")
    _create(connection, schema, f"{name}__new", frame)
    if _types(connection, fresh) == before:
        _run(connection, f"DELETE FROM {table}")  # noqa: S608  (quoted)
        _run(connection, f"INSERT INTO {table} SELECT * FROM {fresh}")  # noqa: S608  (quoted)
        _run(connection, f"DROP TABLE {fresh}")
    else:
        _run(connection, f"DROP TABLE {fresh}")
        _run(connection, f"DROP TABLE {table}")
        _create(connection, schema, name, frame)


def _types(connection: Any, table: str) -> list[tuple[str, str]]:
    """Return name and type of every column of a table, in order; none where there is no such table."""
    rows = _run(
        connection,
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        table,
    )
    return [(str(name), str(kind)) for name, kind in rows]


def _create(connection: Any, schema: str, name: str, frame: DataFrame) -> None:
    """Make a table of `frame` that is not there yet, its index the primary key."""
    # geopandas writes no name with a % as it is: such a table is made under other names, and renamed
    place = PASSING if "%" in schema else schema
    if place != schema:
        _run(connection, f"CREATE SCHEMA {_quoted(place)}")
    options: dict[str, Any] = {"schema": place, "if_exists": "fail", "index": False}
    flat = frame.reset_index()
    renamed = {column: f"column {n}" for n, column in enumerate(flat.columns) if "%" in str(column)}
    flat = flat.rename(columns=renamed)
    table = _quoted(place, name)
    if "geometry" in flat.columns:
        flat.to_postgis(name, connection, **options)
        # of one type whatever the rows, so that the next run finds the same columns
        kind = f"geometry(Geometry, {flat.crs.to_epsg()})"
        _run(connection, f"ALTER TABLE {table} ALTER COLUMN geometry TYPE {kind}")
    else:
        flat.to_sql(name, connection, **options)
    for column, other in renamed.items():
        _run(connection, f"ALTER TABLE {table} RENAME COLUMN {_quoted(other)} TO {_quoted(str(column))}")
    keys = ", ".join(_quoted(str(key)) for key in frame.index.names)
    _run(connection, f"ALTER TABLE {table} ADD PRIMARY KEY ({keys})")
    if place != schema:
        _run(connection, f"ALTER TABLE {table} SET SCHEMA {_quoted(schema)}")
        _run(connection, f"DROP SCHEMA {_quoted(place)}")
