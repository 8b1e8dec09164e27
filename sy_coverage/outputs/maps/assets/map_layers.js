/* Builds Leaflet layers from the data, and shows what holds at the chosen point in time. */
(function (sy) {
  const LINES = {
    "border-estimated": { color: "#4d473c", weight: 1, dashArray: "4 4" },
    "border-official": { color: "#4d473c", weight: 1 },
    "border-county": { color: "#3b342a", weight: 2.2 },
    "road-motorway": { color: "#b5651d", weight: 2.4 },
    "road-trunk": { color: "#d39a58", weight: 1.7 },
    "road-secondary": { color: "#ffffff", weight: 1.2, bare: "#b9b2a6" },
    "road-minor": { color: "#ffffff", weight: 0.7, bare: "#cdc7bb", faint: 0.6 },
    "water-line": { color: "#8ea4ad", weight: 1.4 },
    "water-area": { color: "#8ea4ad", weight: 0.6, fill: "#c3cfd4" },
  };
  sy.LINES = LINES;
  const DOTS = {
    uncovered: { color: "#7a1f1f", weight: 0.6, fillColor: "#c8502d", fillOpacity: 0.95 },
    covered: { color: "#24506e", weight: 0.5, fillColor: "#ffffff", fillOpacity: 0.9 },
  };
  sy.DOTS = DOTS;
  const ORDER = ["unit", "water", "shed", "road", "line", "dot", "symbol", "doubt"];
  /* A proposed site wears a ring that no existing facility has. */
  sy.RING = { stroke: "#ffc145", width: 0.36 };
  const MINOR_FROM = 11;
  const NAMES_FROM = 9.5;
  /* Further out, numbered sites shrink to their symbols so that they do not hide the map. */
  const PINS_FROM = 10;

  sy.isOpenAt = (feature, state) =>
    (feature.f === undefined || state >= feature.f) && (feature.u === undefined || feature.u < 0 || state < feature.u);

  sy.popup = function (layer, feature) {
    const box = sy.el("div", "sy-pop");
    const head = sy.el("h3", "", feature.t);
    if (feature.n !== undefined) head.prepend(sy.el("b", "sy-no", String(feature.n)));
    box.appendChild(head);
    if (feature.s) box.appendChild(sy.el("p", "sy-sub", feature.s));
    const table = sy.el("table");
    layer.fields.forEach((name, i) => {
      const value = feature.v[i];
      if (value === null || value === undefined) return;
      const row = sy.el("tr");
      row.appendChild(sy.el("th", "", name));
      const cell = sy.el("td", "", Array.isArray(value) ? null : value);
      if (Array.isArray(value)) {
        const list = sy.el("ul");
        value.forEach((line) => list.appendChild(sy.el("li", "", line)));
        cell.appendChild(list);
      }
      row.appendChild(cell);
      table.appendChild(row);
    });
    box.appendChild(table);
    return box;
  };

  sy.Layers = function (map, data) {
    const self = this;
    const canvas = L.canvas({ padding: 0.4, tolerance: 4 });
    const hatched = sy.hatch(data.status[1].colour, "#3c7399");
    const state = { now: data.states.length - 1, byShare: false };
    self.now = () => state.now;

    function unitStyle(feature) {
      if (state.byShare) {
        const fifth = feature.a[state.now === data.states.length - 1 ? 1 : 0];
        const colour = fifth < 0 ? "#ffffff" : data.share.classes[fifth].colour;
        return { stroke: false, fill: true, fillColor: colour, fillOpacity: data.base.shown ? 0.55 : 0.9 };
      }
      const c = feature.c;
      const fill = c === 0 ? data.status[0].colour : c > 0 && c <= state.now ? hatched : data.status[2].colour;
      return { stroke: false, fill: true, fillColor: fill, fillOpacity: data.base.shown ? 0.5 : 0.86 };
    }
    function open(layer, feature, at) {
      const size = map.getSize();
      const root = map.getContainer().closest(".sy-root");
      const title = root.querySelector(".sy-left");
      const shut = root.querySelector(".sy-shut");
      /* a popup opens clear of the title block and the panel: beside them, or on a narrow screen between them */
      const room = size.x >= 760 ? {
        maxWidth: 380, minWidth: 250,
        autoPanPaddingTopLeft: [title.offsetWidth + 26, 20], autoPanPaddingBottomRight: [shut ? 24 : 296, 44],
      } : {
        maxWidth: size.x - 60, minWidth: Math.min(250, size.x - 60), maxHeight: Math.max(160, size.y - title.offsetHeight - 240),
        autoPanPaddingTopLeft: [8, title.offsetHeight + 16], autoPanPaddingBottomRight: [8, 150],
      };
      L.popup(room).setLatLng(at).setContent(sy.popup(layer, feature)).openOn(map);
    }
    self.open = open;
    function interactive(path, layer, feature) {
      path.on("click", (event) => {
        if (sy.measuring) return;
        L.DomEvent.stopPropagation(event);
        open(layer, feature, layer.type === "unit" ? event.latlng : path.getLatLng());
      });
      path.bindTooltip(() => sy.el("span", "", feature.n === undefined ? feature.t : feature.n + "  " + feature.t), {
        sticky: layer.type === "unit", direction: "auto", opacity: 0.95,
      });
      return path;
    }

    const pins = [];
    /* Sites that would lie on each other move aside, the lower number first in place. */
    const ASIDE = [[0, 0], [1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1], [2, 0], [-2, 0]];
    function spread() {
      const step = map.getZoom() < PINS_FROM ? 13 : 27;
      const taken = [];
      pins.filter(({ marker }) => marker._icon).sort((p, q) => p.feature.n - q.feature.n).forEach((pin) => {
        const at = map.latLngToContainerPoint(pin.marker.getLatLng());
        const free = ASIDE.find(([x, y]) => !taken.some((t) => Math.hypot(t.x - at.x - x * step, t.y - at.y - y * step) < step * 0.95)) || ASIDE[0];
        pin.at = L.point(at.x + free[0] * step, at.y + free[1] * step);
        taken.push(pin.at);
        pin.box.style.setProperty("--x", free[0] * step + "px");
        pin.box.style.setProperty("--y", free[1] * step + "px");
      });
    }
    const makers = {
      unit(layer, feature) {
        const shape = L.polygon(feature.g.map((part) => part.map(sy.path)), { renderer: canvas, ...unitStyle(feature) });
        shape.on("mouseover", () => shape.setStyle({ stroke: true, color: "#1d2733", weight: 2 }));
        shape.on("mouseout", () => shape.setStyle({ stroke: false }));
        return interactive(shape, layer, feature);
      },
      dot(layer, feature) {
        return interactive(L.circleMarker(sy.point(feature.p), { renderer: canvas, radius: feature.r, ...DOTS[layer.style] }), layer, feature);
      },
      symbol(layer, feature) {
        const hollow = feature.o === "planned";
        const colour = feature.o === "closed" ? "#a3a3a3" : layer.colour;
        return interactive(new sy.Symbol(sy.point(feature.p), {
          renderer: canvas, symbol: layer.symbol, radius: 5.5, color: hollow ? colour : "#ffffff", weight: hollow ? 2.2 : 1.2,
          fillColor: hollow ? "#ffffff" : colour, fillOpacity: 1,
        }), layer, feature);
      },
      doubt(layer, feature) {
        const icon = L.divIcon({ className: "sy-doubt", html: sy.el("span", "", "?"), iconSize: [16, 16] });
        return interactive(L.marker(sy.point(feature.p), { icon, alt: feature.t, keyboard: true }), layer, feature);
      },
      pin(layer, feature) {
        const box = sy.el("div", "sy-pin-in");
        box.appendChild(sy.svg(layer.symbol, layer.colour, 34, sy.RING));
        const number = sy.el("span", "", String(feature.n));
        number.style.color = sy.ink(layer.colour);
        box.appendChild(number);
        const icon = L.divIcon({ className: "sy-pin", html: box, iconSize: [34, 34] });
        const marker = L.marker(sy.point(feature.p), { icon, alt: feature.n + " " + feature.t, riseOnHover: true });
        pins.push({ feature, marker, box });
        return interactive(marker, layer, feature);
      },
    };

    const built = data.layers.map((layer) => {
      const group = L.layerGroup();
      const entry = { layer, group, on: layer.on, items: [] };
      if (layer.type === "line") {
        const style = LINES[layer.style];
        const paths = layer.g.map(sy.path);
        if (layer.style === "road-motorway" || layer.style === "road-trunk") {
          entry.edge = L.polyline(paths, { renderer: canvas, interactive: false, color: "#ffffff", weight: style.weight + 1.4, opacity: 0.8 });
          group.addLayer(entry.edge);
        }
        entry.line = L.polyline(paths, { renderer: canvas, interactive: false, ...style });
        group.addLayer(entry.line);
      } else if (layer.type === "water") {
        const style = LINES["water-area"];
        layer.g.forEach((part) => group.addLayer(L.polygon(part.map(sy.path), {
          renderer: canvas, interactive: false, color: style.color, weight: style.weight, fillColor: style.fill, fillOpacity: 0.95,
        })));
      } else if (layer.type === "shed") {
        entry.rings = layer.features.map((feature) => feature.g.map((part) => part.map(sy.path)));
        entry.area = L.polygon([], {
          renderer: canvas, interactive: false, fillRule: "nonzero", color: layer.colour, weight: 1.3, opacity: 0.85, fillColor: layer.colour, fillOpacity: 0.17, smoothFactor: 0.6,
        });
        group.addLayer(entry.area);
      } else if (layer.type !== "name") {
        entry.items = layer.features.map((feature) => ({ feature, shape: makers[layer.type](layer, feature) }));
      }
      return entry;
    });
    self.all = built;

    function arrange() {
      built.filter((e) => e.visible).sort((p, q) => rank(p) - rank(q)).forEach((entry) => {
        entry.group.eachLayer((shape) => { if (shape.bringToFront) shape.bringToFront(); });
      });
    }
    function rank(entry) {
      const kind = entry.layer.type === "line" ? entry.layer.style.split("-")[0] : entry.layer.type;
      return ORDER.indexOf(ORDER.includes(kind) ? kind : "line");
    }

    /* Roads are white on coloured units and grey where there are none; far out they are fine, so that the colours speak. */
    function lineStyle(entry, far, bare) {
      const style = LINES[entry.layer.style];
      if (entry.layer.style.startsWith("border")) return;
      entry.line.setStyle({ color: bare && style.bare ? style.bare : style.color, weight: style.weight * (far ? 0.6 : 1), opacity: far ? 0.85 : style.faint && map.getZoom() < 13 ? style.faint : 1 });
      if (entry.edge) entry.edge.setStyle({ weight: style.weight * (far ? 0.6 : 1) + (far ? 0.8 : 1.4) });
    }

    /* Far out, dots and symbols are small so that they do not hide the map. */
    const size = () => Math.min(Math.max((map.getZoom() - 6) / 4.2, 0.5), 1.25);

    function refresh() {
      const far = map.getZoom() < PINS_FROM;
      const bare = data.base.shown || !built.some((e) => e.layer.type === "unit" && e.on);
      built.forEach((entry) => {
        const layer = entry.layer;
        entry.items.shown = 0;
        const near = layer.style !== "road-minor" || map.getZoom() >= MINOR_FROM;
        entry.visible = entry.on && near;
        entry.items.forEach(({ feature, shape }) => {
          const wanted = sy.isOpenAt(feature, state.now);
          if (wanted) entry.items.shown += 1;
          if (wanted && !entry.group.hasLayer(shape)) entry.group.addLayer(shape);
          if (!wanted && entry.group.hasLayer(shape)) entry.group.removeLayer(shape);
          if (layer.type === "unit") shape.setStyle(unitStyle(feature));
          if (layer.type === "dot") shape.setRadius(feature.r * size());
          if (layer.type === "symbol") shape.setRadius(5.5 * size());
        });
        if (entry.line) lineStyle(entry, far, bare);
        if (entry.area && entry.visible && entry.drawnAt !== state.now) {
          entry.drawnAt = state.now;
          entry.area.setLatLngs(entry.rings.filter((_, i) => sy.isOpenAt(layer.features[i], state.now)).flat());
        }
        /* far out, the fringe along every road would be all outline */
        if (entry.area) entry.area.setStyle(map.getZoom() < PINS_FROM + 0.75 ? { opacity: 0, fillOpacity: 0.34 } : { opacity: 0.85, fillOpacity: 0.2 });
        if (entry.onCount) entry.onCount(entry.items.shown);
        if (entry.visible && !map.hasLayer(entry.group)) map.addLayer(entry.group);
        if (!entry.visible && map.hasLayer(entry.group)) map.removeLayer(entry.group);
      });
      map.getContainer().classList.toggle("sy-far", far);
      map.getContainer().classList.toggle("sy-farther", map.getZoom() < 8.2);
      arrange();
      spread();
      names();
    }
    self.refresh = refresh;
    /* What the panel switches holds for the map beside it too; only the point in time is each one's own. */
    self.toggle = function (id, on) {
      built.filter((e) => e.layer.id === id).forEach((e) => { e.on = on; });
      refresh();
      if (self.twin) self.twin.toggle(id, on);
    };
    self.colourByShare = function (on) {
      state.byShare = on;
      refresh();
      if (self.twin) self.twin.colourByShare(on);
    };
    self.at = function (index) { state.now = index; map.closePopup(); refresh(); };
    self.like = function (other) {
      built.forEach((entry, i) => { entry.on = other.all[i].on; });
      state.byShare = other.byShare();
    };
    self.byShare = () => state.byShare;

    /* Names: counties first, then streets and townships; one that would lie on another is left out. */
    const labels = L.layerGroup().addTo(map);
    const county = built.find((e) => e.layer.type === "name");
    const wide = (text, size) => Array.from(text).reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? size : size * 0.55), 0);
    /* Where the north arrow and the scale stand no name is put. */
    function furniture() {
      const here = map.getContainer().getBoundingClientRect();
      const root = map.getContainer().closest(".sy-root");
      return Array.from(root.querySelectorAll(".sy-north, .leaflet-control-scale")).map((part) => part.getBoundingClientRect())
        .map((box) => [box.left - here.left, box.top - here.top, box.right - here.left, box.bottom - here.top]);
    }
    function names() {
      labels.clearLayers();
      if (!county || !county.on) return;
      const taken = furniture();
      const symbols = [];
      const view = map.getPixelBounds().getSize();
      const clear = (box, from) => !from.some((t) => box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3]);
      function put(feature, className, size, downs, act) {
        const at = map.latLngToContainerPoint(sy.point(feature.p));
        if (at.x < 0 || at.y < 0 || at.x > view.x || at.y > view.y) return;
        const letters = Array.from(feature.t);
        const text = letters.length > 16 ? letters.slice(0, 15).join("") + "…" : feature.t;
        const half = wide(text, size) / 2 + 3;
        const boxes = downs.map((down) => [at.x - half, at.y + down - size * 0.7, at.x + half, at.y + down + size * 0.7]);
        /* rather beside the symbols than on them, but on them rather than nowhere */
        const beside = boxes.findIndex((box) => clear(box, taken) && clear(box, symbols));
        const free = beside < 0 ? boxes.findIndex((box) => clear(box, taken)) : beside;
        if (free < 0) return;
        taken.push(boxes[free]);
        const icon = L.divIcon({ className: "sy-name " + className, html: sy.el("span", "", text), iconSize: [0, 0], iconAnchor: [0, -downs[free]] });
        const marker = L.marker(sy.point(feature.p), { icon, interactive: Boolean(act), keyboard: false, zIndexOffset: act ? 5000 : -500 });
        if (act) marker.on("click", act);
        labels.addLayer(marker);
      }
      const many = county.layer.features.length > 1;
      if (many) {
        county.layer.features.forEach((f) => put(f, "sy-county", 15, [0], () => { if (!sy.measuring) open(county.layer, f, sy.point(f.p)); }));
      }
      if (many && map.getZoom() < NAMES_FROM) return;
      pins.filter(({ marker }) => marker._icon).forEach(({ at }) => taken.push([at.x - 13, at.y - 13, at.x + 13, at.y + 13]));
      built.filter((e) => e.layer.type === "symbol" && e.visible).forEach((e) => e.items.forEach(({ feature }) => {
        if (!sy.isOpenAt(feature, state.now)) return;
        const at = map.latLngToContainerPoint(sy.point(feature.p));
        symbols.push([at.x - 6, at.y - 6, at.x + 6, at.y + 6]);
      }));
      built.filter((e) => e.layer.type === "unit" && e.on).forEach((e) => {
        e.items.forEach(({ feature }) => put(feature, "sy-town", 12, [0, 16, -16, 26, -26], null));
      });
    }
    map.on("zoomend", refresh);
    map.on("moveend", () => { spread(); names(); });
  };
})(window.sy);
