"""Draw a city or county as one self-contained page: who is covered today, who will be, and where the next centres go."""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage import _files, labels
from sy_coverage._cells import inert
from sy_coverage.errors import ConfigError, InputError
from sy_coverage.outputs.maps import page as map_page
from sy_coverage.outputs.maps import shell, still
from sy_coverage.outputs.maps.layers import difference, extra
from sy_coverage.places import from_wgs84

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import folium

    from sy_coverage.outputs.findings import Findings

BaseMap = Literal["tianditu", "osm", "gaode"]

TIANDITU_KEY = "TIANDITU_BROWSER_KEY"
"""Environment variable with the Tianditu key of type browser; written into a page only where the study says so."""


@dataclass(frozen=True)
class Map:
    """A finished page. In Jupyter it shows itself; `save` writes it, `embed` puts it into another document."""

    page: str = field(repr=False)
    title: str
    keyless: str | None = field(default=None, repr=False)
    """The page without the key of its base map, where it carries one: what a notebook keeps."""
    content: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    """What the page shows, as plain lists, numbers and text."""

    def html(self) -> str:
        """Return the whole page; it asks no server for anything unless an online base map was chosen."""
        return self.page

    def embed(self, height: int = 600, *, cards: bool = True) -> str:
        """Return an ``<iframe>`` snippet, `height` pixels high, that holds the whole page and cannot touch its host.

        Without `cards` it shows the map alone, with its notices and approval number beneath.
        """
        page = self.page if cards else self.page.replace("<html ", '<html data-embed="yes" ', 1)
        return (
            f'<iframe title="{inert(self.title)}" srcdoc="{html.escape(page, quote=True)}" '
            f'style="width:100%;height:{int(height)}px;border:0" loading="lazy" '
            'sandbox="allow-scripts allow-modals allow-popups allow-downloads" allow="fullscreen"></iframe>'
        )

    def to_folium(self) -> folium.Map:
        """Return an ordinary ``folium.Map`` of the same, to go on with: ``add_to``, plugins, ``save``.

        It has a ``FeatureGroup`` each for units, catchments, villages, facilities and sites, tooltips and a ``LayerControl``. It is folium's own page: opened, it loads folium's scripts from the internet, and it has no base map until one is added.
        """
        from sy_coverage.outputs.maps.plain import folium_map  # noqa: PLC0415  half a second, only for who asks

        if self.content is None:
            raise InputError("this map holds its page only; draw it again to go on with it in folium")
        return folium_map(self.content)

    def _repr_html_(self) -> str:
        # a notebook keeps what it shows, and no key may lie in a notebook
        return (self if self.keyless is None else Map(self.keyless, self.title)).embed()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to `path`, all of it or nothing.

        A `path` that ends in ``.html`` or ``.htm`` is one self-contained file. Any other is a folder: ``index.html`` with its styles
        and scripts in files beside it, for servers whose policy allows no script inside a page.

        Raises
        ------
        CannotWriteError
            If the folder or disk refuses.
        """
        if os.fspath(path).lower().endswith((".html", ".htm")):
            _files.write_bytes(path, self.page.encode("utf-8"))
            return
        # the page itself last: it is there only when all it needs is
        for name, content in shell.split(self.page).items():
            _files.write_bytes(Path(path) / name, content.encode("utf-8"))


def draw(
    findings: Findings,
    *,
    base_map: BaseMap | None = None,
    key_in_page: bool | None = None,
    layers: Iterable[Any] | Mapping[str, Any] = (),
    beside: Findings | None = None,
    names: tuple[str, str] | None = None,
) -> Map:
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
    layers
        A user's own, laid over the map: GeoDataFrames in any CRS (``attrs["name"]`` is what they are called), or folium's simple
        layers; or a mapping from name to layer. Of folium's only shapes and text are taken.
    beside
        The findings of the same places with another plan: sites and units are coloured by what the two plans have in common.
    names
        What the two plans are called.

    Raises
    ------
    ConfigError
        If `base_map` is none of these, or the key that the page shall carry is missing or is no key.
    """
    base_map = findings.base_map if base_map is None else base_map
    if base_map is not None and base_map not in shell.TILES:
        raise ConfigError(
            f"base map '{base_map}' is not known; choose one of {', '.join(shell.TILES)}, or none"
        )
    shift = None
    if base_map == "gaode":

        def shift(lon: Any, lat: Any) -> tuple[Any, Any]:
            moved: tuple[Any, Any] = from_wgs84(lon, lat, "gcj02")
            return moved

    shown = findings if beside is None else difference.together(findings, beside)
    content, frame = map_page.page(shown, shift=shift, base_map=base_map)
    content["layers"] += extra.extra_layers(frame, layers)
    if beside is not None:
        difference.coloured(content, frame, findings, beside, names)
    named = ["Leaflet", findings.attribution, shell.TILES[base_map][1] if base_map else ""]
    content["attribution"] = " | ".join(dict.fromkeys(name for name in named if name))
    picture = still.picture(frame, content)
    key = (
        _key()
        if base_map == "tianditu" and (findings.key_in_page if key_in_page is None else key_in_page)
        else ""
    )
    content["base"] = {"online": base_map is not None, "asks": base_map == "tianditu"}
    keyless = shell.rendered(content, base_map, picture)
    whole = shell.rendered(content, base_map, picture, key=key) if key else keyless
    return Map(whole, content["title"], keyless if key else None, content)


def _key() -> str:
    """Return the key of the environment."""
    key = os.environ.get(TIANDITU_KEY, "")
    if not re.fullmatch(r"[0-9A-Za-z]{8,64}", key):
        raise ConfigError(
            f"base map 'tianditu' needs a key of type browser in the environment variable {TIANDITU_KEY}"
            " (letters and digits), or leave key_in_page off: then the page asks for it"
        )
    return key


def title(findings: Findings) -> str:
    """Return the title of the map of `findings`, for links to it."""
    return labels.text("maps.frame_title", findings.language, title=map_page.title(findings))
