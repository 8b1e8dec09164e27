/* What of the area is in view: fitted between the cards at any size, kept in the page's address, and never out of bounds. */
(function (sy) {
  const LEAST_SHARE = 0.3;
  const GAP = 10;
  /* A frame of these sides or less has its cards folded until the reader opens them. */
  const SMALL = [760, 560];
  sy.LEAST_ZOOM = 4;
  sy.GREATEST_ZOOM = 18;
  const CLOSEST_HOME = 15;
  sy.still = Boolean(window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches);
  sy.framed = (function () { try { return window.self !== window.top; } catch (error) { return true; } }());

  function box(root, selector) {
    const part = root.querySelector(selector);
    if (!part) return null;
    const here = root.getBoundingClientRect();
    const at = part.getBoundingClientRect();
    if (!at.width || !at.height) return null;
    return { left: at.left - here.left, top: at.top - here.top, right: at.right - here.left, bottom: at.bottom - here.top };
  }

  /* Every way to keep clear of the cards: beside each of them or above and below; the way that leaves the area largest is taken. */
  function ways(root, size) {
    const foot = box(root, ".sy-foot");
    const base = { left: GAP, top: GAP, right: GAP, bottom: GAP + (foot ? size.y - foot.top : 0) };
    const sides = {
      left: (at) => ({ left: at.right + GAP }), right: (at) => ({ right: size.x - at.left + GAP }),
      above: (at) => ({ top: at.bottom + GAP }), below: (at) => ({ bottom: size.y - at.top + GAP }),
    };
    const avoid = [[box(root, root.classList.contains("sy-trying") ? ".sy-left" : ".sy-title"), ["left", "above"]]];
    const cards = [box(root, ".sy-search"), box(root, ".sy-panel")].filter(Boolean);
    const right = cards.length && cards.reduce((one, other) => ({
      left: Math.min(one.left, other.left), top: Math.min(one.top, other.top), right: Math.max(one.right, other.right), bottom: Math.max(one.bottom, other.bottom),
    }));
    if (right) avoid.push([right, right.top > size.y / 2 ? ["below"] : ["right", "above"]]);
    let found = [base];
    avoid.forEach(([at, names]) => {
      if (!at) return;
      const more = [];
      found.forEach((one) => names.forEach((name) => {
        const pad = sides[name](at);
        const merged = { ...one };
        Object.keys(pad).forEach((key) => { merged[key] = Math.max(merged[key], pad[key]); });
        more.push(merged);
      }));
      found = more;
    });
    return found.filter((p) => size.x - p.left - p.right >= size.x * LEAST_SHARE && size.y - p.top - p.bottom >= size.y * LEAST_SHARE)
      .concat([{ left: 4, top: 4, right: 4, bottom: 4 }]);
  }

  /* The whole of `bounds` within what the paddings leave; a frame without a size is left as it is. */
  sy.fit = function (map, bounds, paddings, most) {
    const size = map.getSize();
    if (!(size.x > 0 && size.y > 0)) return false;
    const all = L.latLngBounds(bounds);
    const corner = map.project(all.getNorthWest(), 0);
    const extent = map.project(all.getSouthEast(), 0).subtract(corner);
    let best = null;
    paddings.forEach((pad, i) => {
      const free = [Math.max(size.x - pad.left - pad.right, 1), Math.max(size.y - pad.top - pad.bottom, 1)];
      const exact = Math.log2(Math.min(free[0] / Math.max(extent.x, 1e-9), free[1] / Math.max(extent.y, 1e-9)));
      const snap = map.options.zoomSnap || 0.01;
      const zoom = Math.min(Math.max(Math.floor(exact / snap) * snap, sy.LEAST_ZOOM), most === undefined ? CLOSEST_HOME : most);
      /* the last way, over the cards, only where there is no other */
      if (!best || (zoom > best.zoom && (paddings.length === 1 || i < paddings.length - 1))) best = { zoom, pad };
    });
    const middle = corner.add(extent.divideBy(2)).multiplyBy(2 ** best.zoom);
    const shift = L.point((best.pad.right - best.pad.left) / 2, (best.pad.bottom - best.pad.top) / 2);
    map.setView(map.unproject(middle.add(shift), best.zoom), best.zoom, { animate: false });
    return true;
  };
  sy.home = function (root, map, bounds) {
    sy.fit(map, bounds, ways(root, map.getSize()));
    sy.atHome = true;
  };

  /* Fits at the first real size and at every later one while the reader has not moved the map. */
  sy.watchSize = function (root, map, data) {
    let before = "";
    function sized() {
      const size = [root.clientWidth, root.clientHeight];
      if (!size[0] || !size[1] || root.classList.contains("sy-printing") || String(size) === before) return;
      before = String(size);
      const small = size[0] < SMALL[0] || size[1] < SMALL[1];
      if (sy.fold) sy.fold(small, size[0] < sy.ROOMY || small);
      map.invalidateSize({ animate: false, pan: false });
      if (sy.atHome) sy.home(root, map, data.bounds);
      if (sy.layers) sy.layers.refresh();
    }
    /* Where the title's card would lie over the buttons they stand in a row below it. */
    const title = root.querySelector(".sy-title");
    const tools = root.querySelector(".sy-tools");
    function flattened() {
      if (!title || !tools || !tools.offsetHeight) return;
      root.classList.remove("sy-flat");
      root.classList.toggle("sy-flat", title.getBoundingClientRect().bottom + 6 > tools.getBoundingClientRect().top && title.getBoundingClientRect().right > tools.getBoundingClientRect().left);
    }
    const foot = root.querySelector(".sy-foot");
    const footed = () => { if (foot && foot.offsetHeight) root.style.setProperty("--foot", foot.offsetHeight + "px"); };
    if (window.ResizeObserver) {
      new ResizeObserver(sized).observe(root);
      if (foot) new ResizeObserver(footed).observe(foot);
      if (title) new ResizeObserver(flattened).observe(title);
      new ResizeObserver(flattened).observe(root);
    } else {
      window.addEventListener("resize", () => { footed(); sized(); flattened(); });
    }
    footed();
    sized();
    flattened();
  };

  /* In another page's frame the wheel scrolls that page until the reader has clicked into the map. */
  sy.wheel = function (map) {
    if (!sy.framed) return;
    map.scrollWheelZoom.disable();
    const box = map.getContainer();
    box.addEventListener("pointerdown", () => map.scrollWheelZoom.enable());
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey || map.scrollWheelZoom.enabled()) return;
      map.setZoom(map.getZoom() + (event.deltaY < 0 ? 0.5 : -0.5));
      event.preventDefault();
    }, { passive: false });
    box.addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
  };

  /* #zoom/lat/lon/year/layers: the year is "today", a year or "plan"; of the layers, those that differ from the start. */
  sy.stateName = (data, index) => data.stateIds[index];
  function read(data, text) {
    const parts = text.replace(/^#/, "").split("/");
    const [zoom, lat, lon] = parts.slice(0, 3).map((part) => (part === "" ? NaN : Number(part)));
    if (!(zoom >= sy.LEAST_ZOOM - 1 && zoom <= sy.GREATEST_ZOOM + 1 && Math.abs(lat) <= 85 && Math.abs(lon) <= 360)) return null;
    return { zoom, at: [lat, lon], state: data.stateIds.indexOf(parts[3]), layers: (parts[4] || "").split(",").filter(Boolean) };
  }
  sy.link = function (root, map, data, layers) {
    const first = {};
    layers.all.forEach((entry) => { first[entry.layer.id] = entry.on; });
    let applied = "";
    function apply() {
      const given = read(data, window.location.hash);
      if (!given || window.location.hash === applied) return;
      applied = window.location.hash;
      layers.all.forEach((entry) => {
        const id = entry.layer.id;
        const wanted = given.layers.includes("+" + id) ? true : given.layers.includes("-" + id) ? false : first[id];
        const check = Array.from(root.querySelectorAll("input[data-layer]")).find((one) => one.dataset.layer === id);
        if (check && check.checked !== wanted) check.click();
      });
      if (given.state >= 0) root.querySelectorAll(".sy-states button")[given.state].click();
      sy.atHome = false;
      map.setView(given.at, Math.min(Math.max(given.zoom, sy.LEAST_ZOOM), sy.GREATEST_ZOOM), { animate: false });
    }
    function write() {
      const size = map.getSize();
      if (!(size.x > 0 && size.y > 0) || root.classList.contains("sy-printing")) return;
      const at = map.getCenter();
      const changed = layers.all.filter((entry) => entry.on !== first[entry.layer.id]).map((entry) => (entry.on ? "+" : "-") + entry.layer.id);
      const text = "#" + [Number(map.getZoom().toFixed(2)), at.lat.toFixed(5), at.lng.toFixed(5), data.stateIds[layers.now()]]
        .concat(changed.length ? [changed.join(",")] : []).join("/");
      if (text === window.location.hash) return;
      applied = text;
      /* a frame without an address of its own keeps none */
      try { window.history.replaceState(null, "", text); } catch (error) { applied = window.location.hash; }
    }
    apply();
    window.addEventListener("hashchange", apply);
    map.on("moveend", () => { if (!sy.atHome) write(); });
    sy.onChange.push(write);
  };
})(window.sy);
