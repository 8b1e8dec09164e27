"""Show the materials: files dropped, what each was recognised as and why, what is missing and where one gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage import _files
from sy_coverage.desk.pages.parts import button, card, known, table, text
from sy_coverage.desk.pages.small_map import small_map
from sy_coverage.errors import CoverageError
from sy_coverage.study.config.materials import NEEDED, ROLES

if TYPE_CHECKING:
    from nicegui.events import MultiUploadEventArguments

    from sy_coverage.desk.session import Desk

ENDINGS = (
    ".csv", ".txt", ".xlsx", ".xlsm", ".xls", ".et", ".ods", ".docx", ".geojson", ".json", ".gpkg", ".fgb", ".parquet", ".shp",
    ".dbf", ".shx", ".prj", ".cpg", ".pbf", ".osm", ".graphml", ".network", ".tif", ".tiff", ".toml",
)  # fmt: skip
_NAMED = """
const input = document.querySelector(".q-uploader__input");
if (input) input.setAttribute("aria-label", "NAME");
"""
SYSTEMS = ("wgs84", "cgcs2000", "gcj02", "bd09")


def show(desk: Desk) -> None:
    """Draw the step."""
    with card():
        _drop(desk)
        known(desk, "materials", lambda there: _begin(desk, there))
    known(desk, "materials", lambda there: _list(desk, there))
    known(desk, "materials", lambda there: _read(desk, there))


def _drop(desk: Desk) -> None:
    async def came(event: MultiUploadEventArguments) -> None:
        names = []
        for file in event.files:
            problem = _refused(desk, file.name, file.size())
            if problem:
                desk.notice = problem
                continue
            try:
                _files.write_bytes(_files.Folder(desk.folder).file(file.name), await file.read())
            except CoverageError as error:
                desk.notice = str(error)
                continue
            names.append(file.name)
        upload.reset()
        if names:
            await desk.do("adopt", files=names)

    upload = ui.upload(multiple=True, auto_upload=True, on_multi_upload=came)
    upload.classes("sy-upload").props(f'accept="{",".join(ENDINGS)}" flat')
    with upload.add_slot("header"), ui.element("div").classes("sy-drop"):
        text(desk.words("drop"))
        button(desk.words("pick"), lambda: upload.run_method("pickFiles"), kind="first")
        ui.element("q-uploader-add-trigger")
    ui.run_javascript(_NAMED.replace("NAME", desk.words("pick")))
    upload.props["max-file-size"] = _files.USUAL.megabytes * 1_000_000
    upload.on(
        "rejected",
        lambda: _say(
            desk, desk.words("drop_refused", endings=" ".join(ENDINGS), megabytes=_files.USUAL.megabytes)
        ),
    )


def _say(desk: Desk, said: str) -> None:
    desk.notice = said


def _refused(desk: Desk, name: str, size: int) -> str:
    """Return why a file is not taken, or nothing."""
    if not name.lower().endswith(ENDINGS) or name.startswith((".", "-")):
        return desk.words("drop_refused", endings=" ".join(ENDINGS), megabytes=_files.USUAL.megabytes)
    try:
        _files.USUAL.check_bytes(size, name)
        _files.Folder(desk.folder).file(name.replace("/", "\\"))  # no folder is made for a file
    except CoverageError as error:
        return str(error)
    return ""


def _begin(desk: Desk, there: dict[str, Any]) -> None:
    files = {one["file"] for one in there["materials"]}
    with ui.element("div").classes("sy-row"):
        if files and not there["begun"]:
            button(desk.words("take_folder", count=len(files)), lambda: desk.do("adopt"), kind="first")
        if not there["begun"] and not files:
            button(desk.words("take_sample"), lambda: desk.do("take_sample"))
            text(desk.words("take_sample_note"), "span", "sy-note")


def _list(desk: Desk, there: dict[str, Any]) -> None:
    if there["missing"] and (there["begun"] or there["materials"]):
        with ui.element("div").classes("sy-warn").props('role="status"'):
            text(desk.words("missing"), "strong")
            for role in there["missing"]:
                text(f"{desk.words(f'role_{role}')}：{desk.words(f'where_{role}')}", "p")
    elif not there["materials"]:
        with card(desk.words("needed")):
            table(
                [desk.words("head_what"), desk.words("head_where")],
                [
                    [desk.words(f"role_{role}"), desk.words(f"where_{role}")]
                    for role in (*NEEDED, "candidates")
                ],
            )
    if not there["materials"]:
        return
    with card(desk.words("recognised")):
        rows = [
            [
                lambda one=one: text(one["key"], "div", "sy-key"),
                lambda one=one: _role(desk, one, begun=there["begun"]),
                str(one["rows"] or ""),
                lambda one=one: _columns(desk, one),
                lambda one=one: _system(desk, one, begun=there["begun"]),
            ]
            for one in there["materials"]
        ]
        heads = ["head_file", "head_taken", "head_rows", "head_columns", "head_coordinates"]
        table([desk.words(head) for head in heads], rows)


def _role(desk: Desk, one: dict[str, Any], *, begun: bool) -> None:
    if one["problem"]:
        text(one["problem"], "span", "sy-missed")
        return
    options = {
        role: desk.words(f"role_{role}") for role in ROLES if role != "answers" or one["role"] == "answers"
    }
    chooser = ui.select(options, value=one["role"]).props("dense outlined options-dense").classes("sy-choose")
    chooser.props["aria-label"] = f"{one['key']} {desk.words('head_taken')}"
    if not begun or one["role"] == "answers":
        chooser.disable()
    chooser.on_value_change(
        lambda event: desk.do("reassign", key=one["key"], role=event.value, coordinate_system="")
    )
    said = [_evidence(desk, name) for name in one["evidence"]]
    text("；".join(said), "p", "sy-note")
    if not one["is_sure"]:
        text(desk.words("not_sure"), "p", "sy-missed")


def _evidence(desk: Desk, name: str) -> str:
    if name.startswith("seen_as_"):
        return desk.words("evidence_seen_as", role=desk.words(f"role_{name.removeprefix('seen_as_')}"))
    return desk.words(f"evidence_{name}")


def _columns(desk: Desk, one: dict[str, Any]) -> None:
    if not one["columns"]:
        return
    with ui.element("details").classes("sy-group"):
        known_ = sum(1 for _, field in one["columns"] if field)
        text(desk.words("columns_known", count=len(one["columns"]), known=known_), "summary")
        _chips(desk, one)


def _chips(desk: Desk, one: dict[str, Any]) -> None:
    with ui.element("div").classes("sy-chips"):
        for header, field in one["columns"]:
            said = f"{header} → {desk.words(f'field_{field}')}" if field else header
            text(said, "span", "sy-chip" if field else "sy-chip sy-idle")


def _system(desk: Desk, one: dict[str, Any], *, begun: bool) -> None:
    has_place = one["coordinates"] or one["role"] == "boundaries"
    if one["role"] not in ("boundaries", "facilities", "candidates", "villages") or not has_place:
        text(
            desk.words("no_coordinates") if one["role"] in ("facilities", "candidates", "villages") else "",
            "span",
            "sy-note",
        )
        return
    options = {
        "": desk.words("system_said"),
        **{system: desk.words(f"system_{system}") for system in SYSTEMS},
    }
    if one["role"] in ("boundaries", "villages"):
        options.pop("")
    chosen = one["coordinate_system"] or ("cgcs2000" if one["role"] == "boundaries" else "")
    chooser = ui.select(options, value=chosen if chosen in options else next(iter(options))).props(
        "dense outlined options-dense"
    )
    chooser.props["aria-label"] = f"{one['key']} {desk.words('head_coordinates')}"
    if not begun:
        chooser.disable()
    chooser.on_value_change(
        lambda event: desk.do("reassign", key=one["key"], role=one["role"], coordinate_system=event.value)
    )


def _read(desk: Desk, there: dict[str, Any]) -> None:
    if not there["begun"] or there["missing"]:
        return
    with card(desk.words("read")):
        known(desk, "reading", lambda found: _reading(desk, found))


def _reading(desk: Desk, found: dict[str, Any]) -> None:
    if found["errors"]:
        with ui.element("div").classes("sy-alert").props('role="alert"'):
            for line in found["errors"]:
                text(line, "p")
    with ui.element("div").classes("sy-two"):
        with ui.element("div"):
            for line in found["facts"]:
                text(line, "p")
        if found["places"]:
            small_map(desk, found["places"])
    lines = [*found["remarks"], *found["reading"]]
    with ui.element("details").classes("sy-group"):
        text(desk.words("read_lines", count=len(lines)), "summary")
        for line in lines:
            text(line, "p", "sy-note")
