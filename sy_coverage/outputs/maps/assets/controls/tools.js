/* Buttons (zoom, whole map, full screen, measure, overview, table, print) and the scale. */
(function (sy) {
  function distance(points) {
    let sum = 0;
    for (let i = 1; i < points.length; i += 1) sum += sy.map.distance(points[i - 1], points[i]);
    return sum;
  }
  /* Area of a small polygon on the sphere, in m². */
  function area(points) {
    const R = 6371008.8;
    const rad = Math.PI / 180;
    let sum = 0;
    for (let i = 0; i < points.length; i += 1) {
      const p = points[i];
      const q = points[(i + 1) % points.length];
      sum += (q.lng - p.lng) * rad * (2 + Math.sin(p.lat * rad) + Math.sin(q.lat * rad));
    }
    return Math.abs((sum * R * R) / 2);
  }
  sy.lengthOf = distance;
  sy.areaOf = area;

  const SNAP = 14;
  /* What is near a click and has a place of its own: a site, a facility, a village. */
  function placeAt(map, layers, latlng) {
    const at = map.latLngToContainerPoint(latlng);
    let best = null;
    layers.all.forEach(({ layer, items, visible }) => {
      if (!visible || !["pin", "symbol", "dot"].includes(layer.type)) return;
      items.forEach(({ feature }) => {
        if (!sy.isOpenAt(feature, layers.now())) return;
        const place = sy.point(feature.p);
        const far = map.latLngToContainerPoint(place).distanceTo(at);
        if (far <= SNAP && (!best || far < best.far)) best = { far, place, feature, layer };
      });
    });
    return best;
  }
  /* Minutes by road between a village and a centre, where the page knows them. */
  sy.minutesBetween = function (data, layers, one, other) {
    const village = [one, other].find((p) => p && p.feature && p.layer.type === "dot");
    const site = [one, other].find((p) => p && p.feature && p.layer.type !== "dot");
    if (!village || !site) return null;
    if (sy.minutesOf) {
      const known = sy.minutesOf(village.feature.i, site.feature.i);
      if (known !== null) return known;
    }
    const reach = sy.reachAt(data, village.feature, layers.now());
    return reach && reach.centre && reach.minutes >= 0 && String(reach.centre.p) === String(site.feature.p) && reach.centre.t === site.feature.t ? reach.minutes : null;
  };

  function measure(map, button, data, root) {
    const words = data.words;
    let points = [];
    let done = false;
    const line = L.polyline([], { color: "#7a1f1f", weight: 2.5, dashArray: "6 4", interactive: false, renderer: L.svg() });
    const fill = L.polygon([], { stroke: false, fillColor: "#7a1f1f", fillOpacity: 0.12, interactive: false, renderer: L.svg() });
    const says = sy.el("div", "sy-card sy-says");
    says.setAttribute("role", "status");
    says.hidden = true;
    root.appendChild(says);
    function show(extra) {
      const all = (extra ? points.concat([{ place: extra }]) : points).map((p) => p.place);
      line.setLatLngs(all);
      fill.setLatLngs(all.length > 2 ? all : []);
      const rows = [words.measure_hint];
      if (all.length > 1) rows[0] = words.measure_distance.replace("{value}", (distance(all) / 1000).toFixed(2));
      if (all.length > 2) rows.push(words.measure_area.replace("{value}", (area(all) / 1e6).toFixed(2)));
      if (points.length > 1 && !extra) {
        const [one, other] = points.slice(-2);
        const minutes = sy.minutesBetween(data, sy.layers, one, other);
        if (minutes !== null) {
          rows.push(words.measure_minutes.replace("{from}", () => one.feature.t).replace("{to}", () => other.feature.t).replace("{value}", () => String(minutes)));
        }
      }
      says.replaceChildren(...rows.map((row) => sy.el("p", "", row)));
    }
    function stop() {
      sy.measuring = false;
      points = [];
      done = false;
      line.remove();
      fill.remove();
      says.hidden = true;
      button.setAttribute("aria-pressed", "false");
      map.getContainer().classList.remove("sy-measuring");
      map.doubleClickZoom.enable();
    }
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (sy.measuring) { stop(); return; }
      sy.measuring = true;
      map.closePopup();
      map.doubleClickZoom.disable();
      button.setAttribute("aria-pressed", "true");
      map.getContainer().classList.add("sy-measuring");
      fill.addTo(map);
      line.addTo(map);
      says.hidden = false;
      show();
    });
    map.on("click", (event) => {
      if (!sy.measuring) return;
      if (done) { points = []; done = false; }
      points.push(placeAt(map, sy.layers, event.latlng) || { place: event.latlng });
      show();
    });
    map.on("mousemove", (event) => { if (sy.measuring && !done && points.length) show(event.latlng); });
    map.on("dblclick", () => {
      if (!sy.measuring) return;
      /* a double click has put the same point down twice */
      if (points.length > 1 && points[points.length - 1].place.equals(points[points.length - 2].place)) points.pop();
      done = true;
      show();
    });
    sy.onEscape.push(() => (sy.measuring ? (stop(), true) : false));
  }

  function overview(map, button, data, root) {
    let small = null;
    const frame = sy.el("div", "sy-card sy-overview");
    frame.hidden = true;
    button.setAttribute("aria-pressed", "false");
    root.appendChild(frame);
    const view = L.rectangle(data.bounds, { color: "#c8502d", weight: 1.5, fillOpacity: 0.1, interactive: false });
    const follow = () => { if (small) view.setBounds(map.getBounds()); };
    button.addEventListener("click", () => {
      frame.hidden = !frame.hidden;
      button.setAttribute("aria-pressed", String(!frame.hidden));
      if (frame.hidden || small) return;
      small = L.map(frame, { zoomControl: false, attributionControl: false, preferCanvas: true, zoomSnap: 0, dragging: false, scrollWheelZoom: false, doubleClickZoom: false, keyboard: false });
      small.fitBounds(data.bounds, { padding: [4, 4], animate: false });
      data.layers.filter((l) => l.style === "border-county").forEach((l) => {
        L.polyline(l.g.map(sy.path), { color: "#3b342a", weight: 1, interactive: false }).addTo(small);
      });
      view.addTo(small);
      follow();
      small.on("click", (event) => map.panTo(event.latlng));
    });
    map.on("move", follow);
  }

  /* Line drawings in a square of 24, so that no icon font is needed. */
  const ICONS = {
    zoom_in: "M12 5v14M5 12h14",
    zoom_out: "M5 12h14",
    home: "M4 11l8-7 8 7M6.5 9.5V20h11V9.5",
    full_screen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    measure: "M3 16L16 3l5 5L8 21zM7 12l2.5 2.5M10 9l1.8 1.8M13 6l2.5 2.5",
    minimap: "M3 5h18v14H3zM13 12h8M13 12v7",
    table: "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14",
    print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  };
  function icon(id) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[id]);
    svg.appendChild(path);
    return svg;
  }

  sy.tools = function (root, map, data, home) {
    const words = data.words;
    const bar = sy.el("div", "sy-card sy-tools");
    L.DomEvent.disableClickPropagation(bar);
    root.appendChild(bar);
    function button(id, act) {
      const b = sy.el("button", "sy-tool");
      b.appendChild(icon(id));
      b.type = "button";
      b.dataset.tool = id;
      b.title = words[id];
      b.setAttribute("aria-label", words[id]);
      if (act) b.addEventListener("click", act);
      bar.appendChild(b);
      return b;
    }
    button("zoom_in", () => { sy.atHome = false; map.zoomIn(1); });
    button("zoom_out", () => { sy.atHome = false; map.zoomOut(1); });
    button("home", home);
    if (document.fullscreenEnabled) {
      button("full_screen", () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()));
    }
    measure(map, button("measure"), data, root);
    overview(map, button("minimap"), data, root);
    sy.outMenu(button("print"), root, map, data);
    sy.table(button("table"), root, data);
    const Scale = L.Control.Scale.extend({
      _updateMetric(most) {
        const metres = this._getRoundNum(most);
        const text = metres < 1000 ? words.scale_m.replace("{value}", metres) : words.scale_km.replace("{value}", metres / 1000);
        this._updateScale(this._mScale, text, metres / most);
      },
    });
    const scale = new Scale({ imperial: false, position: "bottomleft", maxWidth: 140 }).addTo(map);
    /* beside the map and not in it, so that a comparison does not cut it off */
    root.appendChild(scale.getContainer());
    const north = sy.el("div", "sy-north");
    north.appendChild(sy.el("span", "", "▲"));
    north.appendChild(sy.el("b", "", words.north));
    root.appendChild(north);
  };

})(window.sy);
