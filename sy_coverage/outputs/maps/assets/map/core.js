"use strict";
/* Reads the data of the page and draws symbols. Text is decoded once and only ever set as text, never as HTML. */
window.sy = {};
(function (sy) {
  /* Character references to plain text: a textarea holds text only, nothing in it can run. */
  const reader = document.createElement("textarea");
  function plain(text) {
    if (text.indexOf("&") < 0) return text;
    reader.innerHTML = text;
    return reader.value;
  }
  function decoded(value) {
    if (typeof value === "string") return plain(value);
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i += 1) if (typeof value[i] !== "number") value[i] = decoded(value[i]);
      return value;
    }
    if (value !== null && typeof value === "object") {
      /* names are keys too: of facilities that others replace, for one; fromEntries takes "__proto__" for a name like any other */
      return Object.fromEntries(Object.entries(value).map(([key, held]) => [plain(key), decoded(held)]));
    }
    return value;
  }
  /* From this width on, title, map and open panel have room beside each other. */
  sy.ROOMY = 1100;
  /* What is told when the point in time or the layers change. */
  sy.onChange = [];
  /* What Escape may close: each says whether there was something. */
  sy.onEscape = [];
  sy.changed = () => sy.onChange.forEach((told) => told());
  sy.read = () => decoded(JSON.parse(document.getElementById("sy-data").textContent));

  sy.el = function (tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  };

  /* Paths come as whole numbers of 0.00001 degree: the first vertex, then steps. */
  sy.path = function (steps) {
    const found = [];
    let x = 0;
    let y = 0;
    for (let i = 0; i < steps.length; i += 2) {
      x += steps[i];
      y += steps[i + 1];
      found.push([y / 1e5, x / 1e5]);
    }
    return found;
  };
  sy.point = (steps) => L.latLng(steps[1] / 1e5, steps[0] / 1e5);

  /* Symbols in a circle of radius 1: corners, or null for the circle itself. */
  function ring(corners, turn, inner) {
    const points = [];
    const n = inner ? corners * 2 : corners;
    for (let i = 0; i < n; i += 1) {
      const r = inner && i % 2 ? inner : 1;
      const angle = (2 * Math.PI * i) / n - Math.PI / 2 + turn;
      points.push([r * Math.cos(angle), r * Math.sin(angle)]);
    }
    return points;
  }
  const scale = (points, by) => points.map((p) => [p[0] * by, p[1] * by]);
  const a = 0.36;
  const plus = [[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]];
  const turned = plus.map((p) => [(p[0] - p[1]) * 0.7071, (p[0] + p[1]) * 0.7071]);
  const shapes = {
    circle: null,
    square: scale(ring(4, Math.PI / 4), 1.15),
    diamond: scale(ring(4, 0), 1.2),
    triangle: scale(ring(3, 0), 1.25),
    triangle_down: scale(ring(3, Math.PI), 1.25),
    pentagon: scale(ring(5, 0), 1.12),
    hexagon: scale(ring(6, 0), 1.08),
    star: scale(ring(5, 0, 0.45), 1.35),
    plus: plus,
    cross: turned,
  };
  sy.corners = (symbol) => (symbol in shapes ? shapes[symbol] : null);

  /* Black or white, whichever reads better on a colour. */
  sy.ink = function (colour) {
    const n = parseInt(colour.slice(1), 16);
    const light = 0.299 * (n >> 16) + 0.587 * ((n >> 8) & 255) + 0.114 * (n & 255);
    return light > 150 ? "#1d2733" : "#ffffff";
  };

  const SVG = "http://www.w3.org/2000/svg";
  sy.svg = function (symbol, colour, size, options) {
    const o = options || {};
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-1.6 -1.6 3.2 3.2");
    svg.setAttribute("width", size);
    svg.setAttribute("height", size);
    svg.setAttribute("aria-hidden", "true");
    const corners = sy.corners(symbol);
    const shape = document.createElementNS(SVG, corners ? "polygon" : "circle");
    if (corners) shape.setAttribute("points", corners.map((p) => p[0].toFixed(3) + "," + p[1].toFixed(3)).join(" "));
    else shape.setAttribute("r", 1);
    shape.setAttribute("fill", o.hollow ? "#ffffff" : colour);
    shape.setAttribute("stroke", o.stroke || (o.hollow ? colour : "#1d2733"));
    shape.setAttribute("stroke-width", o.width || (o.hollow ? 0.34 : 0.14));
    shape.setAttribute("stroke-linejoin", "round");
    svg.appendChild(shape);
    return svg;
  };

  L.Canvas.include({
    _updateSymbol(layer) {
      if (!this._drawing || layer._empty()) return;
      const ctx = this._ctx;
      const p = layer._point;
      const r = layer._radius;
      const corners = sy.corners(layer.options.symbol);
      ctx.beginPath();
      if (corners) {
        corners.forEach((c, i) => ctx[i ? "lineTo" : "moveTo"](p.x + c[0] * r, p.y + c[1] * r));
        ctx.closePath();
      } else {
        ctx.arc(p.x, p.y, r, 0, 2 * Math.PI);
      }
      this._fillStroke(ctx, layer);
    },
  });
  sy.Symbol = L.CircleMarker.extend({
    _updatePath() { this._renderer._updateSymbol(this); },
  });

  /* Hatching tells "covered by the plan" from the rest without colour. */
  sy.hatch = function (colour, line) {
    const tile = document.createElement("canvas");
    tile.width = 9;
    tile.height = 9;
    const ctx = tile.getContext("2d");
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, 9, 9);
    ctx.strokeStyle = line;
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    [-9, 0, 9].forEach((x) => { ctx.moveTo(x - 1, 10); ctx.lineTo(x + 10, -1); });
    ctx.stroke();
    return ctx.createPattern(tile, "repeat");
  };
})(window.sy);
