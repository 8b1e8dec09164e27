/* Names: counties first, then streets and townships; one that would lie on another is left out. */
(function (sy) {
  const NAMES_FROM = 9.5;
  const wide = (text, size) => Array.from(text).reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? size : size * 0.55), 0);
  const clear = (box, from) => !from.some((t) => box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3]);

  sy.Names = function (map, built, pins, isOpen, open) {
    const labels = L.layerGroup().addTo(map);
    const county = built.find((e) => e.layer.type === "name");

    /* Where the north arrow and the scale stand no name is put. */
    function furniture() {
      const here = map.getContainer().getBoundingClientRect();
      const root = map.getContainer().closest(".sy-root");
      return Array.from(root.querySelectorAll(".sy-north, .leaflet-control-scale")).map((part) => part.getBoundingClientRect())
        .map((box) => [box.left - here.left, box.top - here.top, box.right - here.left, box.bottom - here.top]);
    }
    function put(feature, className, size, downs, taken, symbols, act) {
      const view = map.getSize();
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

    this.draw = function () {
      labels.clearLayers();
      if (!county || !county.on) return;
      const taken = furniture();
      const symbols = [];
      const many = county.layer.features.length > 1;
      if (map.getContainer().closest(".sy-printing")) taken.push(...pins.words());
      if (many) {
        const around = (half) => (at) => [at.x - half, at.y - half, at.x + half, at.y + half];
        const sites = pins.places().map(around(9)).concat(pins.badges().map(around(14)));
        county.layer.features.forEach((f) => put(f, "sy-county", 15, [0, 18, -18, 32, -32, 46, -46, 60, -60], taken, sites,
          () => { if (!sy.measuring) open(county.layer, f, sy.point(f.p)); }));
      }
      if (many && map.getZoom() < NAMES_FROM) return;
      pins.places().concat(pins.badges()).forEach((at) => taken.push([at.x - 13, at.y - 13, at.x + 13, at.y + 13]));
      built.filter((e) => e.layer.type === "symbol" && e.visible).forEach((e) => e.items.forEach(({ feature }) => {
        if (!isOpen(feature)) return;
        const at = map.latLngToContainerPoint(sy.point(feature.p));
        symbols.push([at.x - 6, at.y - 6, at.x + 6, at.y + 6]);
      }));
      built.filter((e) => e.layer.type === "unit" && e.on).forEach((e) => {
        e.items.forEach(({ feature }) => put(feature, "sy-town", 12, [0, 16, -16, 26, -26], taken, symbols, null));
      });
    };
  };
})(window.sy);
