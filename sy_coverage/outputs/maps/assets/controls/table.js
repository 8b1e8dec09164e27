/* Sites and units as tables, in step with the map: for those who cannot see it, and for whoever looks for a row. */
(function (sy) {
  function tableOf(data, caption, heads, rows) {
    const table = sy.el("table");
    table.appendChild(sy.el("caption", "", caption));
    const head = sy.el("tr");
    heads.forEach((name) => { const cell = sy.el("th", "", name); cell.scope = "col"; head.appendChild(cell); });
    const top = sy.el("thead");
    top.appendChild(head);
    const body = sy.el("tbody");
    const update = rows.map(({ layer, feature, name, cells, shown }) => {
      const row = sy.el("tr");
      const first = sy.el("th");
      first.scope = "row";
      const go = sy.el("button", "sy-go", name);
      go.type = "button";
      go.addEventListener("click", () => sy.go(sy.layers, layer, feature, go));
      first.appendChild(go);
      row.appendChild(first);
      const own = cells().map(() => row.appendChild(sy.el("td")));
      body.appendChild(row);
      return () => {
        row.hidden = !shown();
        if (!row.hidden) cells().forEach((text, i) => { own[i].textContent = text === null || text === undefined ? "" : text; });
      };
    });
    table.append(top, body);
    return { table, update: () => update.forEach((one) => one()) };
  }

  function sites(data, layers) {
    const pins = layers.all.filter((e) => e.layer.type === "pin");
    const rows = [];
    pins.forEach((entry) => entry.layer.features.forEach((feature) => rows.push({
      layer: entry.layer, feature, name: sy.siteName(data, feature),
      cells: () => [feature.v[0], feature.v[1], feature.v[4], feature.v[5]],
      shown: () => entry.on && sy.isOpenAt(feature, layers.now()),
    })));
    rows.sort((p, q) => (p.feature.w < q.feature.w ? -1 : p.feature.w > q.feature.w ? 1 : p.feature.n - q.feature.n));
    const fields = pins.length ? pins[0].layer.fields : [];
    return tableOf(data, data.words.sites_table, [data.words.site, fields[0], fields[1], fields[4], fields[5]], rows);
  }
  function units(data, layers) {
    const kinds = layers.all.filter((e) => e.layer.type === "unit");
    const rows = [];
    kinds.forEach((entry) => entry.layer.features.forEach((feature) => rows.push({
      layer: entry.layer, feature, name: feature.t,
      cells: () => {
        const now = layers.now();
        const status = feature.c === 0 ? 0 : feature.c > 0 && feature.c <= now ? 1 : 2;
        return [feature.v[1], data.status[status].name, feature.v[3], feature.v[4], feature.v[5]];
      },
      shown: () => entry.on,
    })));
    const fields = kinds.length ? kinds[0].layer.fields : [];
    return tableOf(data, data.words.units_table, [data.words.unit, fields[1], fields[2], fields[3], fields[4], fields[5]], rows);
  }

  sy.table = function (button, root, data) {
    let parts = null;
    const frame = sy.card("sy-card sy-table", root);
    frame.hidden = true;
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", data.words.table);
    button.setAttribute("aria-expanded", "false");
    const update = () => { if (parts && !frame.hidden) parts.forEach((part) => part.update()); };
    function show(on) {
      if (on && !parts) {
        const shut = sy.el("button", "sy-close", "×");
        shut.type = "button";
        shut.setAttribute("aria-label", data.words.close);
        shut.addEventListener("click", () => show(false));
        parts = [sites(data, sy.layers), units(data, sy.layers)];
        frame.append(shut, ...parts.map((part) => part.table));
      }
      frame.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
      update();
      (on ? frame : button).focus();
    }
    button.addEventListener("click", () => show(frame.hidden));
    sy.onChange.push(update);
    sy.onEscape.push(() => (frame.hidden ? false : (show(false), true)));
  };
})(window.sy);
