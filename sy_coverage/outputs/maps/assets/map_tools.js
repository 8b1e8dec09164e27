/* Buttons (zoom, whole map, full screen, measure, overview, print), the scale, and the start of the page. */
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

  function measure(map, button, words, root) {
    let points = [];
    let done = false;
    const line = L.polyline([], { color: "#7a1f1f", weight: 2.5, dashArray: "6 4", interactive: false, renderer: L.svg() });
    const fill = L.polygon([], { stroke: false, fillColor: "#7a1f1f", fillOpacity: 0.12, interactive: false, renderer: L.svg() });
    const says = sy.el("div", "sy-card sy-says");
    says.hidden = true;
    root.appendChild(says);
    function show(extra) {
      const all = extra ? points.concat([extra]) : points;
      line.setLatLngs(all);
      fill.setLatLngs(all.length > 2 ? all : []);
      const rows = [words.measure_hint];
      if (all.length > 1) rows[0] = words.measure_distance.replace("{value}", (distance(all) / 1000).toFixed(2));
      if (all.length > 2) rows.push(words.measure_area.replace("{value}", (area(all) / 1e6).toFixed(2)));
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
      points.push(event.latlng);
      show();
    });
    map.on("mousemove", (event) => { if (sy.measuring && !done && points.length) show(event.latlng); });
    map.on("dblclick", () => {
      if (!sy.measuring) return;
      /* a double click has put the same point down twice */
      if (points.length > 1 && points[points.length - 1].equals(points[points.length - 2])) points.pop();
      done = true;
      show();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && sy.measuring) stop(); });
  }

  function overview(map, button, data, root) {
    let small = null;
    const frame = sy.el("div", "sy-card sy-overview");
    frame.hidden = true;
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
    button("zoom_in", () => map.zoomIn(1));
    button("zoom_out", () => map.zoomOut(1));
    button("home", home);
    if (document.fullscreenEnabled) {
      button("full_screen", () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()));
    }
    measure(map, button("measure"), words, root);
    overview(map, button("minimap"), data, root);
    printMenu(button("print"), root);
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

  /* On paper the map is drawn anew for the sheet, at twice the screen's fineness, and put back afterwards. */
  const SHEETS = { A4: [281, 192], A3: [404, 279] };
  sy.printing = function (root, map, data) {
    const sheetRule = document.head.appendChild(document.createElement("style"));
    let before = null;
    let sheet = "A4";
    function set() { sheetRule.textContent = "@page { size: " + sheet + " landscape; margin: 8mm; }"; }
    set();
    sy.printOn = function (name) { sheet = name; set(); window.print(); };
    window.addEventListener("beforeprint", () => {
      before = { at: map.getCenter(), zoom: map.getZoom(), retina: L.Browser.retina };
      const view = sy.atHome ? L.latLngBounds(data.bounds) : map.getBounds();
      root.classList.add("sy-printing");
      root.style.width = SHEETS[sheet][0] + "mm";
      root.style.height = SHEETS[sheet][1] + "mm";
      L.Browser.retina = true;
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(view, { paddingTopLeft: sy.atHome ? [258, 10] : [0, 0], paddingBottomRight: sy.atHome ? [212, 52] : [0, 0], animate: false });
      map.eachLayer((layer) => { if (layer instanceof L.Canvas) layer._reset(); });
    });
    window.addEventListener("afterprint", () => {
      root.classList.remove("sy-printing");
      root.style.width = "";
      root.style.height = "";
      L.Browser.retina = before.retina;
      map.invalidateSize({ animate: false, pan: false });
      map.setView(before.at, before.zoom, { animate: false });
    });
  };

  function printMenu(button, root) {
    const menu = sy.el("div", "sy-card sy-sheets");
    menu.hidden = true;
    L.DomEvent.disableClickPropagation(menu);
    Object.keys(SHEETS).forEach((name) => {
      const choice = sy.el("button", "", name);
      choice.type = "button";
      choice.addEventListener("click", () => { menu.hidden = true; sy.printOn(name); });
      menu.appendChild(choice);
    });
    root.appendChild(menu);
    button.addEventListener("click", () => { menu.hidden = !menu.hidden; });
  }

  /* A base map that needs a key waits for its reader to give one: typed here, or behind "#tk=" in the address. */
  function base(root, data, tiles, layers) {
    const waiting = data.base.asks && !tiles[0].options.tk;
    data.base.shown = data.base.online && !waiting;
    if (!waiting) return null;
    const card = sy.el("div", "sy-card sy-asks");
    L.DomEvent.disableClickPropagation(card);
    const says = sy.el("p", "", data.words.key_ask);
    const input = sy.el("input");
    input.type = "password";
    input.autocomplete = "off";
    input.setAttribute("aria-label", data.words.key_ask);
    const button = sy.el("button", "sy-link", data.words.key_show);
    const shut = sy.el("button", "sy-close", "×");
    shut.type = "button";
    shut.setAttribute("aria-label", data.words.close);
    shut.addEventListener("click", () => card.remove());
    card.append(says, input, button, shut);
    function show(key) {
      if (!/^[0-9A-Za-z]{8,64}$/.test(key)) { says.textContent = data.words.key_wrong; return; }
      tiles.forEach((layer) => { layer.options.tk = key; layer.addTo(sy.map); });
      data.base.shown = true;
      layers().refresh();
      card.remove();
    }
    /* no form: one may not be sent from inside an embedding frame */
    button.type = "button";
    button.addEventListener("click", () => show(input.value.trim()));
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") button.click(); });
    root.appendChild(card);
    const given = /^#tk=([0-9A-Za-z]{8,64})$/.exec(window.location.hash);
    return given ? () => show(given[1]) : null;
  }

  sy.start = function (map, tiles) {
    const data = sy.read();
    sy.map = map;
    sy.data = data;
    sy.measuring = false;
    document.title = data.title;
    const root = sy.el("div", "sy-root");
    const own = map.getContainer();
    own.parentNode.insertBefore(root, own);
    root.appendChild(own);
    function home() {
      sy.atHome = true;
      const wide = root.clientWidth >= 760;
      const above = root.querySelector(".sy-left");
      const below = root.querySelector(".sy-right");
      const shut = root.querySelector(".sy-shut");
      map.fitBounds(data.bounds, {
        paddingTopLeft: wide ? [(above ? above.offsetWidth : 340) + 26, 20] : [8, (above ? above.offsetHeight : 150) + 16],
        paddingBottomRight: wide ? [shut ? 24 : 292, 40] : [8, (below ? below.offsetHeight : 20) + 50], animate: false,
      });
      sy.atHome = true;
    }
    sy.atHome = true;
    home();
    map.on("dragstart zoomstart", () => { sy.atHome = false; });
    const key = base(root, data, tiles, () => sy.layers);
    const layers = new sy.Layers(map, data);
    sy.layers = layers;
    layers.refresh();
    const left = sy.el("div", "sy-left");
    const right = sy.el("div", "sy-right");
    root.appendChild(left);
    root.appendChild(right);
    sy.heading(left, data, layers);
    sy.search(right, data, layers);
    sy.panel(right, data, layers);
    sy.tools(root, map, data, home);
    sy.foot(root, data);
    sy.printing(root, map, data);
    /* where the map is not wide it lies between the cards, whose size is known only now */
    if (root.clientWidth < sy.ROOMY) home();
    if (key) key();
    root.dataset.ready = "yes";
  };
})(window.sy);
