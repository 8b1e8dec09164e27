/* The map as a picture to take along: an SVG built from what is shown, and a PNG drawn from that SVG. */
(function (sy) {
  const SVG = "http://www.w3.org/2000/svg";
  const FONT = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif";

  function node(parent, tag, attributes, text) {
    const made = document.createElementNS(SVG, tag);
    Object.keys(attributes).forEach((name) => made.setAttribute(name, attributes[name]));
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }
  function write(parent, x, y, text, size, more) {
    node(parent, "text", { x, y, "font-size": size, "font-family": FONT, fill: "#1d2733", stroke: "#ffffff", "stroke-width": 3, "paint-order": "stroke", "stroke-linejoin": "round", ...more }, text);
  }
  const rounded = (p) => p.x.toFixed(1) + " " + p.y.toFixed(1);

  function outline(map, latlngs, closed) {
    if (!latlngs.length) return "";
    if (Array.isArray(latlngs[0])) return latlngs.map((part) => outline(map, part, closed)).join("");
    return "M" + latlngs.map((at) => rounded(map.latLngToContainerPoint(at))).join("L") + (closed ? "Z" : "");
  }
  function style(options, hatched) {
    const fill = options.fill === false || (options.fill === undefined && !options.fillColor) ? "none" : hatched ? "url(#sy-hatch)" : options.fillColor || options.color;
    const look = { fill, "fill-opacity": options.fillOpacity === undefined ? 0.2 : options.fillOpacity, "fill-rule": options.fillRule || "evenodd" };
    if (options.stroke === false) look.stroke = "none";
    else Object.assign(look, { stroke: options.color, "stroke-width": options.weight, "stroke-opacity": options.opacity === undefined ? 1 : options.opacity, "stroke-linejoin": "round" });
    if (options.dashArray) look["stroke-dasharray"] = options.dashArray;
    return look;
  }
  function draw(svg, map, shape, size) {
    const options = shape.options;
    const hatched = options.fillColor && typeof options.fillColor !== "string";
    if (shape instanceof L.CircleMarker) {
      const at = map.latLngToContainerPoint(shape.getLatLng());
      if (at.x < -20 || at.y < -20 || at.x > size.x + 20 || at.y > size.y + 20) return;
      const r = shape.getRadius();
      const corners = options.symbol ? sy.corners(options.symbol) : null;
      if (corners) node(svg, "polygon", { points: corners.map((c) => (at.x + c[0] * r).toFixed(1) + "," + (at.y + c[1] * r).toFixed(1)).join(" "), ...style(options) });
      else node(svg, "circle", { cx: at.x, cy: at.y, r, ...style(options) });
    } else if (shape instanceof L.Polyline) {
      const closed = shape instanceof L.Polygon;
      const d = outline(map, shape.getLatLngs(), closed);
      if (d) node(svg, "path", { d, ...style(closed ? options : { ...options, fill: false }, hatched) });
    }
  }

  /* Pins, badges and names stand in the page as elements: each is drawn where it is seen. */
  function furniture(svg, map, layers) {
    const here = map.getContainer().getBoundingClientRect();
    const middle = (part) => { const at = part.getBoundingClientRect(); return [at.left + at.width / 2 - here.left, at.top + at.height / 2 - here.top, at.width]; };
    layers.pins.all.filter((pin) => pin.marker._icon && !pin.inBadge && map.hasLayer(pin.marker)).forEach((pin) => {
      const [x, y, wide] = middle(pin.box);
      const r = wide / 3.2;
      const place = map.latLngToContainerPoint(pin.marker.getLatLng());
      if (Math.hypot(place.x - x, place.y - y) > 2) node(svg, "line", { x1: place.x, y1: place.y, x2: x, y2: y, stroke: "#1d2733", "stroke-width": 1.5 });
      const corners = sy.corners(pin.layer.symbol);
      const look = { fill: pin.layer.colour, stroke: sy.RING.stroke, "stroke-width": r * sy.RING.width };
      if (corners) node(svg, "polygon", { points: corners.map((c) => (x + c[0] * r).toFixed(1) + "," + (y + c[1] * r).toFixed(1)).join(" "), ...look });
      else node(svg, "circle", { cx: x, cy: y, r, ...look });
      if (wide > 24) write(svg, x, y + 4, String(pin.feature.n), 12, { "text-anchor": "middle", fill: sy.ink(pin.layer.colour), stroke: "none", "font-weight": 700 });
    });
    map.getContainer().querySelectorAll(".sy-badge span").forEach((part) => {
      const [x, y] = middle(part);
      node(svg, "circle", { cx: x, cy: y, r: 13, fill: "#1d2733", stroke: sy.RING.stroke, "stroke-width": 2.5 });
      write(svg, x, y + 4, part.textContent, 12, { "text-anchor": "middle", fill: "#ffffff", stroke: "none", "font-weight": 700 });
    });
    map.getContainer().querySelectorAll(".sy-name span").forEach((part) => {
      const [x, y] = middle(part);
      const county = part.parentNode.classList.contains("sy-county");
      write(svg, x, y + 4, part.textContent, county ? 15 : 12, { "text-anchor": "middle", "font-weight": county ? 700 : 400 });
    });
  }

  sy.pictureOf = function (root, map, data) {
    const size = map.getSize();
    const svg = document.createElementNS(SVG, "svg");
    Object.entries({ xmlns: SVG, width: size.x, height: size.y + 64, viewBox: "0 0 " + size.x + " " + (size.y + 64) }).forEach(([k, v]) => svg.setAttribute(k, v));
    const pattern = node(node(svg, "defs", {}), "pattern", { id: "sy-hatch", width: 9, height: 9, patternUnits: "userSpaceOnUse" });
    node(pattern, "rect", { width: 9, height: 9, fill: data.status[1].colour });
    node(pattern, "path", { d: "M-1 10L10 -1M-10 10L1 -1M8 10L19 -1", stroke: "#3c7399", "stroke-width": 1.2 });
    node(svg, "rect", { width: size.x, height: size.y + 64, fill: "#f6f4ee" });
    sy.layers.shown().forEach((entry) => entry.group.eachLayer((shape) => draw(svg, map, shape, size)));
    furniture(svg, map, sy.layers);
    node(svg, "rect", { y: size.y, width: size.x, height: 64, fill: "#ffffff" });
    const state = data.states[sy.layers.now()];
    const facts = data.facts.filter((fact) => fact.values[sy.layers.now()] !== null).map((fact) => fact.label + " " + fact.values[sy.layers.now()]).join("  ");
    write(svg, 10, size.y + 18, data.title + "  " + state, 15, { "font-weight": 700, stroke: "none" });
    write(svg, 10, size.y + 37, [facts, data.words.scale_number.replace("{value}", sy.scaleNumber(map).toLocaleString("en-US"))].join("  "), 11, { stroke: "none" });
    write(svg, 10, size.y + 54, data.notices.concat([data.approval, data.office, data.attribution]).filter(Boolean).join("  "), 11, { stroke: "none" });
    return new XMLSerializer().serializeToString(svg);
  };

  sy.hand = function (blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  sy.savePicture = function (root, map, data, format) {
    const text = sy.pictureOf(root, map, data);
    const name = data.title.replace(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60) + "." + format;
    if (format === "svg") { sy.hand(new Blob([text], { type: "image/svg+xml" }), name); return; }
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = picture.naturalWidth * 2;
      canvas.height = picture.naturalHeight * 2;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => sy.hand(blob, name));
    };
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  };
})(window.sy);
