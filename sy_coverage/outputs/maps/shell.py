"""Put the page together: folium's shell, our styles and scripts, the data as inert JSON, and what the page may ask for."""

from __future__ import annotations

import base64
import json
import re
import zlib
from functools import cache
from importlib.resources import files
from typing import Any

from sy_coverage._cells import inert

_TIANDITU = (
    "https://t{s}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
    "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={tk}"
)
TILES: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "tianditu": (
        (_TIANDITU.replace("{layer}", "vec"), _TIANDITU.replace("{layer}", "cva")),
        "天地图 GS(2024)0650号",
        {"subdomains": "01234567", "max_zoom": 18},
    ),
    "osm": (("https://tile.openstreetmap.org/{z}/{x}/{y}.png",), "© OpenStreetMap contributors",
        # its servers answer only pages that say on which site they are
        {"max_zoom": 19, "referrer_policy": "origin-when-cross-origin"},
    ),
    "gaode": (
        ("https://webrd0{s}.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}",),
        "© 高德地图",
        {"subdomains": "1234", "max_zoom": 18},
    ),
}  # fmt: skip


def _inert_data(value: Any) -> Any:
    """Return a structure of dicts, lists, numbers and text with every text (and key) made inert."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(k): _inert_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [v if isinstance(v, int) else _inert_data(v) for v in value]
    return value


SCRIPTS = (
    *(f"map/{name}" for name in ("core", "view", "pins", "names", "layers")),
    *(f"controls/{name}" for name in ("heading", "compare", "panel", "search", "table", "tools", "picture", "printing")),
    "what_if/recount", "what_if/plan", "what_if/outside", "what_if/panel", "controls/start",
)  # fmt: skip
"""Our scripts, in the order in which they build on each other."""
OLDEST = "Chromium 86"
"""The oldest browser in which the page works."""


def _asset(name: str) -> str:
    return files("sy_coverage.outputs.maps").joinpath("assets", name).read_text(encoding="utf-8")


def _styles() -> str:
    """Return Leaflet's style sheet and ours; pictures Leaflet names but we do not draw are taken out."""
    leaflet = re.sub(r"url\((?!#)[^)]*\)", "none", _asset("leaflet/leaflet.css"))
    return leaflet + _asset("map.css")


def _scripts() -> str:
    """Return Leaflet and our scripts; the reference to a source map is a request, so it goes."""
    leaflet = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", _asset("leaflet/leaflet.js"))
    # its name stands at the foot of the page; the link in it would be the only way out of the file
    leaflet = re.sub(r'<a href="https://leafletjs\.com"[^>]*>', "<a>", leaflet)
    return "\n".join([leaflet, *(_asset(f"{part}.js") for part in SCRIPTS)])


@cache
def _solver() -> str:
    """Return the solver as data of the page: HiGHS compiled for browsers and the script of its worker, packed."""
    folder = files("sy_coverage.outputs.maps").joinpath("assets")
    parts = {
        # kept as the page needs it
        "sy-highs-wasm": folder.joinpath("highs/highs.wasm.gz").read_bytes(),
        "sy-highs-js": zlib.compress(folder.joinpath("highs/highs.js").read_bytes(), 9),
        "sy-worker-js": zlib.compress(folder.joinpath("what_if/worker.js").read_bytes(), 9),
    }
    return "".join(
        f'<script type="text/plain" id="{name}">{base64.b64encode(packed).decode("ascii")}</script>'
        for name, packed in parts.items()
    )


def _policy(base_map: str | None, *, solves: bool) -> str:
    """Return the content security policy: nothing but this file, and the tiles of the base map that was chosen.

    A page that solves may compile its own solver and run it in a worker of its own bytes.
    """
    hosts = {
        "tianditu": " https://*.tianditu.gov.cn",
        "osm": " https://tile.openstreetmap.org",
        "gaode": " https://*.is.autonavi.com",
    }
    wasm, worker = (" 'wasm-unsafe-eval'", "worker-src blob:; ") if solves else ("", "")
    return (
        f"default-src 'none'; script-src 'unsafe-inline'{wasm}; style-src 'unsafe-inline'; {worker}"
        f"img-src data: blob:{hosts.get(str(base_map), '')}"
    )


def _tile_layers(base_map: str | None, key: str) -> list[Any]:
    """Return the folium layers of an online base map; those that still wait for a key are not on the map yet."""
    import folium  # noqa: PLC0415  half a second, only for who draws

    if base_map is None:
        return []
    urls, attribution, options = TILES[base_map]
    keyed: dict[str, Any] = {"tk": key} if base_map == "tianditu" else {}
    return [
        folium.TileLayer(
            tiles=url, attr=inert(attribution), control=False, show=bool(key) or not keyed, **options, **keyed
        )
        for url in urls
    ]


def rendered(content: dict[str, Any], base_map: str | None, picture: str, *, key: str = "") -> str:
    """Return the page that folium makes: Leaflet's map, our styles and scripts, and the data as inert JSON.

    `picture` is what whoever runs no scripts is shown instead.
    """
    import folium  # noqa: PLC0415  half a second, only for who draws
    from branca.element import Element, MacroElement  # noqa: PLC0415
    from folium.template import Template  # noqa: PLC0415

    class Page(folium.Map):
        """A folium map that links to nothing: what it needs is in the page."""

        default_js: list[Any] = []  # noqa: RUF012  folium's own class attributes
        default_css: list[Any] = []  # noqa: RUF012

    class Inline(Element):
        """A part of the page that is put in as it is, never read as a template."""

        _template = Template("{{ this.content }}")

        def __init__(self, content: str) -> None:
            super().__init__()
            self.content = content

    class Start(MacroElement):
        """The call that builds our layers and controls on folium's map."""

        _template = Template(
            "{% macro script(this, kwargs) %}sy.start({{ this._parent.get_name() }}, [{{ this.tiles() }}]);{% endmacro %}"
        )

        def tiles(self) -> str:
            """Return the names of the layers of the base map."""
            return ",".join(layer.get_name() for layer in tiles)

    (south, west), (north, east) = content["bounds"]
    page = Page(
        location=[round((south + north) / 2, 5), round((west + east) / 2, 5)],
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        zoom_snap=0.25,
        zoom_start=9,
        attribution_control=False,
        font_size="14px",
    )
    tiles = _tile_layers(base_map, key)
    for one in tiles:
        page.add_child(one)
    page.add_child(Start())  # type: ignore[no-untyped-call]  # branca has no types
    figure: Any = page.get_root()
    figure.title = inert(content["title"])
    language = "zh-CN" if content["language"] == "zh" else "en"
    solves = bool(content["what_if"] and content["what_if"].get("program"))
    data = json.dumps(_inert_data(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for name, part in (
        (
            "policy",
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(base_map, solves=solves)}">',
        ),
        ("icon", '<link rel="icon" href="data:,">'),
        ("styles", f"<style>{_styles()}</style>"),
        ("scripts", f"<script>{_scripts()}</script>"),
    ):
        figure.header.add_child(Inline(part), name=name)
    figure.html.add_child(
        Inline(f'<script type="application/json" id="sy-data">{data}</script>'), name="data"
    )
    if solves:
        figure.html.add_child(Inline(_solver()), name="solver")
    figure.html.add_child(Inline(f"<noscript>{picture}</noscript>"), name="still")
    _number(figure)
    page_text: str = figure.render()
    # whoever needs larger letters may zoom the page
    page_text = re.sub(
        r'<meta name="viewport"[^>]*>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        page_text,
        count=1,
    )
    return page_text.replace("<html>", f'<html lang="{language}">', 1)


def _number(element: Any, start: int = 0) -> int:
    """Give every element of a folium tree a running number for its random id, so that equal maps are equal bytes."""
    element._id = str(start)  # noqa: SLF001  folium offers no other way to name an element
    start += 1
    for child in element._children.values():  # noqa: SLF001
        start = _number(child, start)
    return start


def split(page: str) -> dict[str, str]:
    """Return the files of a page whose styles and scripts lie beside it, ``index.html`` last: nothing inline runs."""
    styles: list[str] = []
    scripts: list[str] = []

    def moved(kept: list[str], text: str) -> str:
        kept.append(text)
        return ""

    bare = re.sub(r"<style[^>]*>(.*?)</style>", lambda m: moved(styles, m.group(1)), page, flags=re.DOTALL)
    bare = re.sub(r"<script>(.*?)</script>", lambda m: moved(scripts, m.group(1)), bare, flags=re.DOTALL)
    bare = bare.replace("'unsafe-inline'", "'self'")
    bare = bare.replace("</head>", '<link rel="stylesheet" href="map.css"></head>', 1)
    end = bare.rindex("</html>")
    # what folium puts after the body belongs to it
    bare = bare[:end] + '<script src="map.js"></script>' + bare[end:]
    return {"map.css": "\n".join(styles), "map.js": "\n".join(scripts), "index.html": bare}
