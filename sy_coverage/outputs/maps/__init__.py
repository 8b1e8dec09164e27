"""Draw a city or county as one self-contained page: who is covered today, who will be, and where the next centres go."""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage import labels
from sy_coverage.errors import ConfigError
from sy_coverage.outputs.maps import page as map_page

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings

BaseMap = Literal["tianditu", "osm", "gaode"]

TIANDITU_KEY = "TIANDITU_BROWSER_KEY"
"""Environment variable with the Tianditu key of type browser; written into a page only where the study says so."""

_TIANDITU = (
    "https://t{s}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
    "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={tk}"
)
_TILES: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
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

_REFERENCES = str.maketrans({c: f"&#{ord(c)};" for c in "`$\\{}\u2028\u2029"})


def inert(text: object) -> str:
    r"""Return `text` so that no browser, script or template can take it for anything but text.

    HTML is escaped, and `` ` $ \ { } `` and the line separators U+2028/2029 become character references: folium compiles what it
    has rendered once more as a template, and scripts read what is between backticks. Every string of a map passes through here.
    """
    # half a surrogate pair is no text and cannot be written as UTF-8
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return html.escape(whole, quote=True).translate(_REFERENCES)


def _inert_data(value: Any) -> Any:
    """Return a structure of dicts, lists, numbers and text with every text (and key) made inert."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(k): _inert_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [v if isinstance(v, int) else _inert_data(v) for v in value]
    return value


@dataclass(frozen=True)
class Map:
    """A finished page. In Jupyter it shows itself; `save` writes it, `embed` puts it into another document."""

    page: str = field(repr=False)
    title: str
    keyless: str | None = field(default=None, repr=False)
    """The page without the key of its base map, where it carries one: what a notebook keeps."""

    def html(self) -> str:
        """Return the whole page; it asks no server for anything unless an online base map was chosen."""
        return self.page

    def embed(self, height: int = 600) -> str:
        """Return an ``<iframe>`` snippet, `height` pixels high, that holds the whole page and cannot touch its host."""
        return (
            f'<iframe title="{inert(self.title)}" srcdoc="{html.escape(self.page, quote=True)}" '
            f'style="width:100%;height:{int(height)}px;border:0" loading="lazy" '
            'sandbox="allow-scripts allow-modals allow-popups allow-downloads" allow="fullscreen"></iframe>'
        )

    def _repr_html_(self) -> str:
        # a notebook keeps what it shows, and no key may lie in a notebook
        return (self if self.keyless is None else Map(self.keyless, self.title)).embed()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to `path`, all of it or nothing.

        Raises
        ------
        CannotWriteError
            If the folder or disk refuses.
        """
        from sy_coverage import _files  # noqa: PLC0415  only this method touches the disk

        _files.write_bytes(path, self.page.encode("utf-8"))


def draw(findings: Findings, *, base_map: BaseMap | None = None, key_in_page: bool | None = None) -> Map:
    """Return the map of `findings`: a city, or one county (`findings.of_county(…)`).

    Parameters
    ----------
    findings
        What was found; frames in EPSG:4326. They are not changed.
    base_map
        None takes that of `findings`; without one it draws the roads of `findings` and asks no server for anything. ``"tianditu"``,
        ``"osm"`` and ``"gaode"`` lay an online map beneath; for Gaode all data is shifted to GCJ-02.
    key_in_page
        Whether a map over Tianditu carries the key of the environment variable ``TIANDITU_BROWSER_KEY``, for everybody to read who
        opens it; without, the page asks its reader for one. None takes what `findings` say.

    Raises
    ------
    ConfigError
        If `base_map` is none of these, or the key that the page shall carry is missing or is no key.
    """
    base_map = findings.base_map if base_map is None else base_map
    if base_map is not None and base_map not in _TILES:
        raise ConfigError(f"base map '{base_map}' is not known; choose one of {', '.join(_TILES)}, or none")
    shift = None
    if base_map == "gaode":
        from sy_coverage.places import from_wgs84  # noqa: PLC0415  only this base map needs it

        def shift(lon: Any, lat: Any) -> tuple[Any, Any]:
            moved: tuple[Any, Any] = from_wgs84(lon, lat, "gcj02")
            return moved

    content = map_page.page(findings, shift=shift, base_map=base_map)
    named = ["Leaflet", findings.attribution, _TILES[base_map][1] if base_map else ""]
    content["attribution"] = " | ".join(dict.fromkeys(name for name in named if name))
    key = (
        _key()
        if base_map == "tianditu" and (findings.key_in_page if key_in_page is None else key_in_page)
        else ""
    )
    content["base"] = {"online": base_map is not None, "asks": base_map == "tianditu"}
    keyless = _rendered(content, base_map)
    return Map(
        _rendered(content, base_map, key) if key else keyless, content["title"], keyless if key else None
    )


def _key() -> str:
    """Return the key of the environment."""
    key = os.environ.get(TIANDITU_KEY, "")
    if not re.fullmatch(r"[0-9A-Za-z]{8,64}", key):
        raise ConfigError(
            f"base map 'tianditu' needs a key of type browser in the environment variable {TIANDITU_KEY}"
            " (letters and digits), or leave key_in_page off: then the page asks for it"
        )
    return key


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
    ours = "".join(_asset(f"map_{part}.js") for part in ("core", "layers", "compare", "panel", "tools"))
    return leaflet + "\n" + ours


def _policy(base_map: str | None) -> str:
    """Return the content security policy: nothing but this file, and the tiles of the base map that was chosen."""
    hosts = {
        "tianditu": " https://*.tianditu.gov.cn",
        "osm": " https://tile.openstreetmap.org",
        "gaode": " https://*.is.autonavi.com",
    }
    return (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        f"img-src data: blob:{hosts.get(str(base_map), '')}"
    )


def _tile_layers(base_map: str | None, key: str) -> list[Any]:
    """Return the folium layers of an online base map; those that still wait for a key are not on the map yet."""
    import folium  # noqa: PLC0415  half a second, only for who draws

    if base_map is None:
        return []
    urls, attribution, options = _TILES[base_map]
    keyed: dict[str, Any] = {"tk": key} if base_map == "tianditu" else {}
    return [
        folium.TileLayer(
            tiles=url, attr=inert(attribution), control=False, show=bool(key) or not keyed, **options, **keyed
        )
        for url in urls
    ]


def _rendered(content: dict[str, Any], base_map: str | None, key: str = "") -> str:
    """Return the page that folium makes: Leaflet's map, our styles and scripts, and the data as inert JSON."""
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
    data = json.dumps(_inert_data(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for name, part in (
        ("policy", f'<meta http-equiv="Content-Security-Policy" content="{_policy(base_map)}">'),
        ("icon", '<link rel="icon" href="data:,">'),
        ("styles", f"<style>{_styles()}</style>"),
        ("scripts", f"<script>{_scripts()}</script>"),
    ):
        figure.header.add_child(Inline(part), name=name)
    figure.html.add_child(
        Inline(f'<script type="application/json" id="sy-data">{data}</script>'), name="data"
    )
    _number(figure)
    page_text: str = figure.render()
    return page_text.replace("<html>", f'<html lang="{language}">', 1)


def _number(element: Any, start: int = 0) -> int:
    """Give every element of a folium tree a running number for its random id, so that equal maps are equal bytes."""
    element._id = str(start)  # noqa: SLF001  folium offers no other way to name an element
    start += 1
    for child in element._children.values():  # noqa: SLF001
        start = _number(child, start)
    return start


def title(findings: Findings) -> str:
    """Return the title of the map of `findings`, for links to it."""
    return labels.text("maps.frame_title", findings.language, title=map_page.title(findings))
