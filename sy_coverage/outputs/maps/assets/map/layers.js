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
    "change-add": { color: "#1b7f3b", weight: 3.4 },
    "change-close": { color: "#c2185b", weight: 3.4, dashArray: "2 6" },
    "change-slow": { color: "#d9730d", weight: 3, dashArray: "8 5" },
    "water-line": { color: "#8ea4ad", weight: 1.4 },
    "water-area": { color: "#8ea4ad", weight: 0.6, fill: "#c3cfd4" },
  };
  sy.LINES = LINES;
  const DOTS = {
    /* dark enough to be told from every colour of a unit, in grey too */
    uncovered: { color: "#ffffff", weight: 0.8, fillColor: "#6b1010", fillOpacity: 1 },
    covered: { color: "#24506e", weight: 0.5, fillColor: "#ffffff", fillOpacity: 0.9 },
  };
  sy.DOTS = DOTS;
  const ORDER = ["unit", "water", "shed", "road", "line", "extra", "dot", "symbol", "doubt"];
  /* A proposed site wears a ring that no existing facility has. */
  sy.RING = { stroke: "#ffc145", width: 0.36 };
  const MINOR_FROM = 11;

  sy.isOpenAt = (feature, state) =>
    (feature.f === undefined || state >= feature.f) && (feature.u === undefined || feature.u < 0 || state < feature.u);

  /* Within reach or not at a point in time, by which centre and in how many minutes: [from, minutes, centre] for each change. */
  sy.reachAt = function (data, feature, state) {
    const at = (feature.m || []).filter(([from]) => from <= state).pop();
    if (!at) return null;
    return { within: feature.c >= 0 && feature.c <= state, minutes: at[1], centre: at[2] < 0 ? null : data.centres[at[2]] };
  };
  sy.reachWords = function (data, feature, state) {
    const now = sy.reachAt(data, feature, state);
    if (!now) return null;
    const words = [data.words[now.within ? "within" : "beyond_limit"]];
    if (now.centre) words.push(now.centre.t);
    words.push(now.minutes < 0 ? data.words.beyond : data.words.minutes.replace("{value}", () => String(now.minutes)));
    return words.join(data.language === "zh" ? "，" : ", ");
  };

  sy.popup = function (layer, feature, data, state) {
    const box = sy.el("div", "sy-pop");
    const head = sy.el("h3", "", feature.t);
    head.tabIndex = -1;
    head.setAttribute("aria-level", "2");
    if (feature.n !== undefined) head.prepend(sy.el("b", "sy-no", String(feature.n)));
    box.appendChild(head);
    if (feature.s) box.appendChild(sy.el("p", "sy-sub", feature.s));
    const table = sy.el("table");
    const reach = data ? sy.reachWords(data, feature, state) : null;
    const rows = layer.fields.map((name, i) => [name, feature.v[i]]);
    if (reach) rows.unshift([data.states[state], reach]);
    rows.forEach(([name, value]) => {
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
    /* one for all: of two over each other only the upper one is printed */
    self.canvas = canvas;
    const hatched = sy.hatch(data.status[1].colour, "#3c7399");
    const state = { now: data.states.length - 1, byShare: false };
    self.now = () => state.now;

    function unitStyle(feature) {
      const judged = self.judge ? self.judge.unit(feature.i) : undefined;
      if (judged !== undefined) {
        return { stroke: false, fill: true, fillColor: judged ? (feature.c === 0 ? data.status[0].colour : hatched) : data.status[2].colour, fillOpacity: data.base.shown ? 0.5 : 0.86 };
      }
      if (state.byShare) {
        const fifth = feature.h[state.now];
        const colour = fifth < 0 ? "#ffffff" : data.share.classes[fifth].colour;
        return { stroke: false, fill: true, fillColor: colour, fillOpacity: data.base.shown ? 0.55 : 0.9 };
      }
      const c = feature.c;
      if (data.difference && feature.d !== undefined && c <= state.now) {
        return { stroke: false, fill: true, fillColor: data.difference.units[feature.d], fillOpacity: data.base.shown ? 0.5 : 0.9 };
      }
      const fill = c === 0 ? data.status[0].colour : c > 0 && c <= state.now ? hatched : data.status[2].colour;
      return { stroke: false, fill: true, fillColor: fill, fillOpacity: data.base.shown ? 0.5 : 0.86 };
    }
    /* A popup opens clear of the title block and the panel: beside them, or on a narrow screen between them. Whoever opened it
       by key is taken into it, and back when it closes. */
    function open(layer, feature, at, from) {
      const size = map.getSize();
      const root = map.getContainer().closest(".sy-root");
      const title = root.querySelector(".sy-title");
      const shut = root.querySelector(".sy-shut");
      const beside = size.x >= 760 && title.offsetWidth < size.x / 2;
      const room = beside ? {
        maxWidth: Math.min(380, size.x * 0.5), minWidth: Math.min(250, size.x * 0.4), maxHeight: Math.max(120, size.y - 130),
        autoPanPaddingTopLeft: [title.offsetWidth + 26, 20], autoPanPaddingBottomRight: [shut ? 24 : Math.min(296, size.x * 0.3), 44],
      } : {
        maxWidth: Math.max(size.x - 60, 120), minWidth: Math.max(Math.min(250, size.x - 60), 100), maxHeight: Math.max(110, size.y - title.offsetHeight - 240),
        autoPanPaddingTopLeft: [8, Math.min(title.offsetHeight + 16, size.y * 0.4)], autoPanPaddingBottomRight: [8, Math.min(150, size.y * 0.3)],
      };
      const popup = L.popup({ ...room, autoPan: size.x > 0 && size.y > 0 }).setLatLng(at).setContent(sy.popup(layer, feature, data, state.now));
      popup.on("add", () => {
        const close = popup.getElement().querySelector(".leaflet-popup-close-button");
        if (close) close.setAttribute("aria-label", data.words.close);
        popup.getElement().setAttribute("role", "dialog");
        popup.getElement().setAttribute("aria-label", feature.t);
        if (from) popup.getElement().querySelector("h3").focus({ preventScroll: true });
      });
      popup.on("remove", () => { if (from && document.contains(from)) from.focus({ preventScroll: true }); });
      popup.openOn(map);
    }
    self.open = open;
    function interactive(path, layer, feature) {
      path.on("click", (event) => {
        /* a marker keeps its clicks from the map, which measures */
        if (sy.measuring) { if (path instanceof L.Marker) map.fire("click", { latlng: path.getLatLng() }); return; }
        L.DomEvent.stopPropagation(event);
        if (sy.whatIfClick && layer.type !== "unit" && sy.whatIfClick(feature)) return;
        open(layer, feature, path.getLatLng ? path.getLatLng() : event.latlng);
      });
      path.bindTooltip(() => sy.el("span", "", feature.n === undefined ? feature.t : sy.siteName(data, feature)), {
        sticky: !path.getLatLng, direction: "auto", opacity: 0.95,
      });
      return path;
    }

    const pins = new sy.Pins(map, data, open);
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
      /* a user's own: an area, lines or a point */
      extra(layer, feature) {
        const style = { renderer: canvas, color: layer.colour, weight: 2, fillColor: layer.colour, fillOpacity: 0.2 };
        if (feature.g) return interactive(L.polygon(feature.g.map((part) => part.map(sy.path)), style), layer, feature);
        if (feature.l) return interactive(L.polyline(feature.l.map(sy.path), { ...style, fill: false }), layer, feature);
        return interactive(L.circleMarker(sy.point(feature.p), { ...style, radius: 5, color: "#ffffff", fillOpacity: 0.95 }), layer, feature);
      },
      doubt(layer, feature) {
        const icon = L.divIcon({ className: "sy-doubt", html: sy.el("span", "", "?"), iconSize: [16, 16] });
        return interactive(L.marker(sy.point(feature.p), { icon, keyboard: false }), layer, feature);
      },
      pin: (layer, feature) => interactive(pins.make(layer, feature), layer, feature),
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

    self.shown = () => built.filter((e) => e.visible).sort((p, q) => rank(p) - rank(q));
    function arrange() {
      self.shown().forEach((entry) => {
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
      const far = map.getZoom() < sy.PINS_FROM;
      const bare = data.base.shown || !built.some((e) => e.layer.type === "unit" && e.on);
      built.forEach((entry) => {
        const layer = entry.layer;
        entry.items.shown = 0;
        const near = layer.style !== "road-minor" || map.getZoom() >= MINOR_FROM;
        entry.visible = entry.on && near;
        entry.items.forEach(({ feature, shape }) => {
          const wanted = sy.isOpenAt(feature, state.now) && !(self.judge && self.judge.hidden(layer));
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
        if (entry.area) entry.area.setStyle(map.getZoom() < sy.PINS_FROM + 0.75 ? { opacity: 0, fillOpacity: 0.34 } : { opacity: 0.85, fillOpacity: 0.2 });
        if (entry.onCount) entry.onCount(entry.items.shown);
        if (entry.visible && !map.hasLayer(entry.group)) map.addLayer(entry.group);
        if (!entry.visible && map.hasLayer(entry.group)) map.removeLayer(entry.group);
      });
      map.getContainer().classList.toggle("sy-far", far);
      map.getContainer().classList.toggle("sy-farther", map.getZoom() < 8.2);
      arrange();
      pins.arrange();
      names.draw();
    }
    self.refresh = refresh;
    self.pins = pins;
    /* What the panel switches holds for the map beside it too; only the point in time is each one's own. */
    self.toggle = function (id, on) {
      built.filter((e) => e.layer.id === id).forEach((e) => { e.on = on; });
      refresh();
      sy.changed();
      if (self.twin) self.twin.toggle(id, on);
    };
    self.colourByShare = function (on) {
      state.byShare = on;
      refresh();
      if (self.twin) self.twin.colourByShare(on);
    };
    self.at = function (index) { state.now = index; map.closePopup(); refresh(); sy.changed(); };
    self.like = function (other) {
      built.forEach((entry, i) => { entry.on = other.all[i].on; });
      state.byShare = other.byShare();
    };
    self.byShare = () => state.byShare;

    const names = new sy.Names(map, built, pins, (feature) => sy.isOpenAt(feature, state.now), open);
    map.on("zoomend", refresh);
    map.on("moveend", () => { pins.arrange(); names.draw(); });
  };
})(window.sy);
