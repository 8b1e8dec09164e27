/* Proposed sites: each at its own place. Far out, those that would hide each other are one badge; near, a moved number is tied to its place by a line. */
(function (sy) {
  /* Further out, numbered sites shrink to their symbols so that they do not hide the map. */
  sy.PINS_FROM = 10;
  const TOGETHER = 28;
  const STEP = 28;
  /* So wide is the legend of a printed map. */
  const LEGEND = 206;
  const ASIDE = [[0, 0], [1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1], [2, 0], [-2, 0], [0, -2], [0, 2], [2, 1], [-2, 1], [2, -1], [-2, -1]];

  sy.siteName = (data, feature) => data.words.site_name
    .replace("{county}", () => feature.w || "").replace("{number}", () => String(feature.n)).replace("{name}", () => feature.t).trim();

  sy.Pins = function (map, data, open) {
    const pins = [];
    const badges = L.layerGroup();
    let groups = [];
    this.all = pins;

    const ringOf = (feature) => (data.difference ? { ...sy.RING, stroke: data.difference.rings[feature.d] } : sy.RING);
    this.make = function (layer, feature) {
      const outer = sy.el("div", "sy-pin-at");
      const leader = sy.el("i", "sy-leader");
      const box = sy.el("div", "sy-pin-in");
      box.appendChild(sy.svg(layer.symbol, layer.colour, 34, ringOf(feature)));
      const number = sy.el("span", "", String(feature.n));
      number.style.color = sy.ink(layer.colour);
      box.appendChild(number);
      outer.append(leader, box);
      const icon = L.divIcon({ className: "sy-pin", html: outer, iconSize: [34, 34] });
      const marker = L.marker(sy.point(feature.p), { icon, riseOnHover: true });
      const pin = { layer, feature, marker, box, leader };
      marker.on("add", () => {
        marker._icon.setAttribute("aria-label", sy.siteName(data, feature));
        if (marker._icon.dataset.keys) return;
        marker._icon.dataset.keys = "yes";
        marker._icon.addEventListener("keydown", (event) => key(event, marker._icon, () => open(layer, feature, marker.getLatLng(), marker._icon)));
      });
      pins.push(pin);
      return marker;
    };

    /* One stop for the tabulator; arrows go from site to site. */
    function stops() {
      return pins.filter((p) => p.marker._icon && !p.inBadge).map((p) => ({ node: p.marker._icon, feature: p.feature }))
        .concat(groups.filter((g) => g.marker && g.marker._icon).map((g) => ({ node: g.marker._icon, feature: g.members[0].feature })))
        .sort((p, q) => (p.feature.w < q.feature.w ? -1 : p.feature.w > q.feature.w ? 1 : p.feature.n - q.feature.n));
    }
    function tab(to) {
      const all = stops();
      const kept = to || all.map((s) => s.node).find((node) => node === document.activeElement || node.tabIndex === 0);
      all.forEach(({ node }, i) => { node.tabIndex = node === kept || (!kept && i === 0) ? 0 : -1; });
    }
    function key(event, node, act) {
      const all = stops().map((s) => s.node);
      const at = all.indexOf(node);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " " || event.key === "Spacebar") act();
      else if (to !== undefined) {
        const next = all[(to + all.length) % all.length];
        tab(next);
        next.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }

    function badge(group) {
      /* whose they are, county by county: 双清区 5 处（1、2、…） */
      const counties = Array.from(new Set(group.members.map((p) => p.feature.w)));
      const numbers = counties.map((name) => group.members.filter((p) => p.feature.w === name).map((p) => p.feature.n).sort((p, q) => p - q));
      const here = counties.map((name, i) => data.words.sites_here.replace("{county}", () => name || "").replace("{count}", () => String(numbers[i].length)).trim());
      const said = here.join(data.language === "zh" ? "、" : ", ");
      const shown = here.map((text, i) => text + "（" + numbers[i].join("、") + "）");
      const icon = L.divIcon({ className: "sy-badge", html: sy.el("span", "", String(group.members.length)), iconSize: [26, 26] });
      /* above names: a number that is covered says nothing */
      const marker = L.marker(group.place, { icon, riseOnHover: true, zIndexOffset: 6000 });
      function act() {
        const bounds = L.latLngBounds(group.members.map((p) => p.marker.getLatLng()));
        sy.atHome = false;
        map.setView(bounds.getCenter(), Math.min(Math.max(map.getBoundsZoom(bounds.pad(0.3)), sy.PINS_FROM), 14), { animate: false });
      }
      marker.on("click", () => { if (!sy.measuring) act(); });
      marker.bindTooltip(() => { const box = sy.el("div"); shown.forEach((text) => box.appendChild(sy.el("div", "", text))); return box; }, { direction: "auto", opacity: 0.95 });
      marker.on("add", () => {
        marker._icon.setAttribute("aria-label", said);
        if (group.side) { marker._icon.dataset.said = here.join("\n"); marker._icon.dataset.side = group.side; }
        marker._icon.addEventListener("keydown", (event) => key(event, marker._icon, act));
      });
      return marker;
    }

    /* Sites of one county rather than of two; but no badge hides another, nor a site. */
    function gather(seen) {
      const found = [];
      seen.forEach((pin) => {
        const at = map.latLngToContainerPoint(pin.marker.getLatLng());
        const near = found.filter((g) => g.at.distanceTo(at) < TOGETHER);
        const own = near.find((g) => g.members[0].feature.w === pin.feature.w) || near[0];
        if (own) own.members.push(pin);
        else found.push({ at, place: pin.marker.getLatLng(), members: [pin] });
      });
      return found.filter((g) => g.members.length > 1);
    }
    /* On paper no tooltip opens: where its words stand beside a badge, clear of other badges and their words. */
    function beside(group, taken) {
      const counties = new Map();
      group.members.forEach((p) => counties.set(p.feature.w, (counties.get(p.feature.w) || 0) + 1));
      const longest = Math.max(...Array.from(counties, ([name]) => Array.from(name || "").reduce((sum, c) => sum + (c > "\u2e7f" ? 10 : 5.5), 34)));
      const high = 11 * counties.size;
      const { x, y } = group.at;
      const boxes = {
        below: [x - longest / 2, y + 14, x + longest / 2, y + 14 + high], above: [x - longest / 2, y - 14 - high, x + longest / 2, y - 14],
        right: [x + 14, y - high / 2, x + 14 + longest, y + high / 2], left: [x - 14 - longest, y - high / 2, x - 14, y + high / 2],
      };
      const over = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
      const edge = map.getSize().x - LEGEND;
      const side = Object.keys(boxes).find((name) => boxes[name][2] < edge && !taken.some((box) => over(boxes[name], box)));
      group.side = side || "";
      group.words = side ? boxes[side] : null;
      if (side) taken.push(boxes[side]);
    }
    function spread(seen) {
      const taken = [];
      seen.forEach((pin) => {
        const at = map.latLngToContainerPoint(pin.marker.getLatLng());
        const free = ASIDE.find(([x, y]) => !taken.some((t) => Math.hypot(t.x - at.x - x * STEP, t.y - at.y - y * STEP) < STEP * 0.95)) || ASIDE[0];
        put(pin, free[0] * STEP, free[1] * STEP);
        pin.at = L.point(at.x + free[0] * STEP, at.y + free[1] * STEP);
        taken.push(pin.at);
      });
    }
    function put(pin, x, y) {
      pin.box.style.setProperty("--x", x + "px");
      pin.box.style.setProperty("--y", y + "px");
      const far = Math.hypot(x, y);
      pin.leader.style.display = far ? "" : "none";
      pin.leader.style.width = far + "px";
      pin.leader.style.transform = "rotate(" + Math.atan2(y, x) + "rad)";
    }

    this.arrange = function () {
      if (!map.hasLayer(badges)) map.addLayer(badges);
      badges.clearLayers();
      const seen = pins.filter(({ marker }) => marker._icon).sort((p, q) => p.feature.n - q.feature.n);
      const far = map.getZoom() < sy.PINS_FROM;
      groups = far ? gather(seen) : [];
      pins.forEach((pin) => { pin.inBadge = false; });
      const taken = groups.map(({ at }) => [at.x - 13, at.y - 13, at.x + 13, at.y + 13]);
      groups.slice().sort((p, q) => q.members.length - p.members.length).forEach((group) => beside(group, taken));
      groups.forEach((group) => {
        group.members.forEach((pin) => { pin.inBadge = true; });
        group.marker = badge(group);
        badges.addLayer(group.marker);
      });
      seen.forEach((pin) => {
        pin.marker._icon.classList.toggle("sy-in-badge", pin.inBadge);
        if (far) { put(pin, 0, 0); pin.at = map.latLngToContainerPoint(pin.marker.getLatLng()); }
      });
      if (!far) spread(seen);
      tab();
    };
    /* Where symbols stand that no name should hide. */
    this.places = () => pins.filter((p) => p.marker._icon && p.at && !p.inBadge).map((p) => p.at);
    this.badges = () => groups.map((g) => g.at);
    this.words = () => groups.map((g) => g.words).filter(Boolean);
  };
})(window.sy);
