/* The title block, the panel that is legend and layer control at once, the search and the list to verify. */
(function (sy) {
  function box(className, parent) {
    const node = sy.el("div", className);
    L.DomEvent.disableClickPropagation(node);
    L.DomEvent.disableScrollPropagation(node);
    parent.appendChild(node);
    return node;
  }

  sy.heading = function (root, data, layers) {
    const card = box("sy-card sy-title", root);
    card.appendChild(sy.el("h1", "", data.title));
    const line = sy.el("p", "sy-sub", data.date);
    card.appendChild(line);
    data.notices.forEach((notice) => card.appendChild(sy.el("p", "sy-notice", notice)));
    const facts = sy.el("dl", "sy-facts");
    data.facts.forEach((fact) => {
      const cell = sy.el("div");
      const value = sy.el("dd");
      if (fact.today !== null) {
        value.appendChild(sy.el("span", "sy-was", fact.today));
        value.appendChild(sy.el("span", "sy-arrow", "→"));
      }
      value.appendChild(sy.el("b", "", fact.plan));
      cell.appendChild(value);
      cell.appendChild(sy.el("dt", "", fact.label));
      facts.appendChild(cell);
    });
    card.appendChild(facts);
    card.appendChild(sy.el("p", "sy-proof", data.proof));
    const bar = sy.el("div", "sy-states");
    bar.setAttribute("role", "radiogroup");
    bar.setAttribute("aria-label", data.words.states);
    data.states.forEach((name, i) => {
      const button = sy.el("button", "", name);
      button.type = "button";
      button.setAttribute("role", "radio");
      function choose() {
        bar.querySelectorAll("button").forEach((b) => b.setAttribute("aria-checked", String(b === button)));
        layers.at(i);
        if (sy.onState) sy.onState(name);
      }
      button.setAttribute("aria-checked", String(i === data.states.length - 1));
      button.addEventListener("click", choose);
      button.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const next = step && bar.children[i + step];
        if (next) { next.focus(); next.click(); }
      });
      bar.appendChild(button);
    });
    card.appendChild(bar);
    sy.compareButton(card, data, layers);
  };

  function swatch(entry) {
    const layer = entry.layer;
    if (layer.type === "symbol") return sy.svg(layer.symbol, layer.colour, 18);
    if (layer.type === "pin") {
      const key = sy.el("span", "sy-key");
      key.appendChild(sy.svg(layer.symbol, layer.colour, 20, sy.RING));
      return key;
    }
    const mark = sy.el("i", "sy-swatch sy-" + layer.type);
    if (layer.type === "line") {
      const style = sy.LINES[layer.style];
      mark.style.borderTop = Math.max(style.weight, 1) + "px " + (style.dashArray ? "dashed " : "solid ") + (style.bare || style.color);
    } else if (layer.type === "water") {
      mark.style.background = sy.LINES["water-area"].fill;
      mark.style.borderColor = sy.LINES["water-area"].color;
    } else if (layer.type === "dot") {
      const style = sy.DOTS[layer.style];
      mark.style.background = style.fillColor;
      mark.style.borderColor = style.color;
    } else if (layer.type === "shed") {
      mark.style.borderColor = layer.colour;
      mark.style.background = layer.colour + "22";
    } else if (layer.type === "doubt") {
      mark.textContent = "?";
    } else if (layer.type === "name") {
      mark.textContent = "A";
    }
    return mark;
  }

  function legendOfAreas(rows) {
    const list = sy.el("ul", "sy-legend");
    rows.forEach((area) => {
      const row = sy.el("li");
      const mark = sy.el("i", "sy-swatch sy-area" + (area.id ? " sy-area-" + area.id : ""));
      mark.style.backgroundColor = area.colour;
      row.appendChild(mark);
      row.appendChild(sy.el("span", "", area.name));
      list.appendChild(row);
    });
    return list;
  }

  /* Two ways to colour units: whether they count as covered, and how many of their elders are within reach. */
  function legendOfUnits(data, layers) {
    const part = sy.el("div", "sy-themes");
    const bar = sy.el("div", "sy-choice");
    bar.setAttribute("role", "radiogroup");
    bar.setAttribute("aria-label", data.share.title);
    const status = legendOfAreas(data.status);
    const share = legendOfAreas(data.share.classes.concat([{ name: data.share.missing, colour: "#ffffff" }]).reverse());
    share.appendChild(sy.el("li", "sy-note", data.share.note));
    data.share.choices.forEach((name, i) => {
      const button = sy.el("button", "", name);
      button.type = "button";
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(i === 0));
      button.addEventListener("click", () => {
        bar.querySelectorAll("button").forEach((b) => b.setAttribute("aria-checked", String(b === button)));
        status.hidden = i === 1;
        share.hidden = i === 0;
        layers.colourByShare(i === 1);
      });
      bar.appendChild(button);
    });
    share.hidden = true;
    part.append(bar, status, share);
    return part;
  }

  sy.panel = function (root, data, layers) {
    const panel = box("sy-card sy-panel", root);
    const head = sy.el("button", "sy-head", data.words.layers);
    head.type = "button";
    head.setAttribute("aria-expanded", "true");
    panel.appendChild(head);
    const body = sy.el("div", "sy-body");
    panel.appendChild(body);
    head.addEventListener("click", () => {
      head.setAttribute("aria-expanded", String(!panel.classList.toggle("sy-shut")));
    });
    if (root.closest(".sy-root").clientWidth < sy.ROOMY) head.click();
    data.groups.forEach((group) => {
      const own = layers.all.filter((e) => e.layer.group === group.id);
      if (!own.length) return;
      const part = sy.el("fieldset");
      part.dataset.group = group.id;
      const legend = sy.el("legend");
      part.appendChild(legend);
      if (group.id === "units") part.appendChild(legendOfUnits(data, layers));
      const boxes = own.map((entry) => {
        const row = sy.el("label", "sy-row");
        const check = sy.el("input");
        check.type = "checkbox";
        check.checked = entry.on;
        check.dataset.layer = entry.layer.id;
        row.appendChild(check);
        if (entry.layer.type !== "unit") row.appendChild(swatch(entry));
        row.appendChild(sy.el("span", "sy-label", entry.layer.name));
        const count = entry.items.length;
        if (count) {
          const shown = sy.el("span", "sy-count", String(entry.items.shown));
          entry.onCount = (n) => { shown.textContent = String(n); };
          row.appendChild(shown);
        }
        part.appendChild(row);
        function shown() { row.classList.toggle("sy-off", !check.checked); }
        check.addEventListener("change", () => { layers.toggle(entry.layer.id, check.checked); shown(); sum(); });
        shown();
        return check;
      });
      const whole = sy.el("label", "sy-whole");
      const every = sy.el("input");
      every.type = "checkbox";
      every.setAttribute("aria-label", group.name + " " + data.words.all);
      whole.appendChild(every);
      whole.appendChild(sy.el("span", "", group.name));
      legend.appendChild(whole);
      function sum() {
        const on = boxes.filter((b) => b.checked).length;
        every.checked = on === boxes.length;
        every.indeterminate = on > 0 && on < boxes.length;
        part.classList.toggle("sy-off", on === 0);
      }
      every.addEventListener("change", () => {
        const to = every.checked;
        boxes.forEach((b) => { if (b.checked !== to) b.click(); });
      });
      const note = data.notes[group.id] || [];
      if (note.length) part.appendChild(sy.el("p", "sy-note", note.join(data.language === "zh" ? "；" : "; ")));
      sum();
      body.appendChild(part);
    });
    if (data.checks.count) body.appendChild(checks(root, data, layers));
  };

  function checks(root, data, layers) {
    const button = sy.el("button", "sy-link", data.checks.title + "（" + data.checks.count + "）");
    button.type = "button";
    const drawer = box("sy-card sy-drawer", root);
    drawer.hidden = true;
    const shut = sy.el("button", "sy-close", "×");
    shut.type = "button";
    shut.setAttribute("aria-label", data.words.close);
    shut.addEventListener("click", () => { drawer.hidden = true; button.focus(); });
    drawer.appendChild(shut);
    drawer.appendChild(sy.el("h2", "", data.checks.title));
    if (data.checks.note) drawer.appendChild(sy.el("p", "sy-sub", data.checks.note));
    const list = sy.el("ol");
    data.checks.rows.forEach((row) => {
      const item = sy.el("li");
      const name = sy.el(row.p ? "button" : "span", row.p ? "sy-go" : "sy-gone", row.t);
      if (row.p) {
        name.type = "button";
        name.addEventListener("click", () => sy.go(layers, { fields: [], type: "doubt" }, { t: row.t, s: row.v[0], p: row.p, v: [] }));
      }
      item.appendChild(name);
      item.appendChild(sy.el("p", "", row.v[0] + (row.p ? "" : (data.language === "zh" ? "（" : " (") + data.checks.missing + (data.language === "zh" ? "）" : ")"))));
      list.appendChild(item);
    });
    drawer.appendChild(list);
    button.addEventListener("click", () => { drawer.hidden = !drawer.hidden; });
    return button;
  }

  sy.go = function (layers, layer, feature) {
    const at = sy.point(feature.p);
    sy.map.once("moveend", () => layers.open(layer, feature, at));
    sy.map.setView(at, Math.max(sy.map.getZoom(), 12), { animate: false });
  };

  sy.search = function (root, data, layers) {
    const card = box("sy-card sy-search", root);
    const input = sy.el("input");
    input.type = "search";
    input.placeholder = data.words.search;
    input.setAttribute("aria-label", data.words.search);
    input.autocomplete = "off";
    const list = sy.el("ul");
    list.hidden = true;
    card.appendChild(input);
    card.appendChild(list);
    const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");
    const weight = { name: 0, unit: 1, pin: 2, symbol: 3, dot: 4 };
    const entries = [];
    const seen = new Set();
    layers.all.forEach(({ layer }) => {
      if (!(layer.type in weight)) return;
      layer.features.forEach((feature) => {
        const key = layer.type + feature.t + feature.p;
        if (seen.has(key)) return;
        seen.add(key);
        const where = layer.type === "dot" ? feature.v[0] : layer.type === "unit" ? feature.v[1] : layer.name;
        const entry = { layer, feature, text: feature.t, where: layer.type === "name" ? "" : where || "", w: weight[layer.type] };
        entries.push({ ...entry, key: folded(feature.t) });
        (feature.k || []).forEach((old) => entries.push({ ...entry, text: old, where: data.words.search_now.replace("{what}", () => feature.t), key: folded(old) }));
      });
    });
    let found = [];
    let at = -1;
    function pick(entry) {
      list.hidden = true;
      input.value = entry.text;
      sy.go(layers, entry.layer, entry.feature);
    }
    function mark() {
      Array.from(list.children).forEach((row, i) => row.classList.toggle("sy-at", i === at));
      if (list.children[at]) list.children[at].scrollIntoView({ block: "nearest" });
    }
    function look() {
      const what = folded(input.value);
      at = -1;
      list.replaceChildren();
      list.hidden = !what;
      if (!what) { found = []; return; }
      const rank = (e) => (e.key === what ? 0 : e.key.startsWith(what) ? 10 : 20) + e.w;
      found = entries.filter((e) => e.key.includes(what)).sort((p, q) => rank(p) - rank(q)).slice(0, 30);
      found.forEach((entry) => {
        const row = sy.el("li");
        row.appendChild(sy.el("span", "", entry.text));
        row.appendChild(sy.el("small", "", entry.where));
        row.addEventListener("click", () => pick(entry));
        list.appendChild(row);
      });
      if (!found.length) list.appendChild(sy.el("li", "sy-none", data.words.search_none.replace("{what}", () => input.value)));
    }
    input.addEventListener("input", look);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && found.length) pick(found[Math.max(at, 0)]);
      else if (event.key === "Escape") list.hidden = true;
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        at = Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), found.length - 1);
        mark();
        event.preventDefault();
      }
    });
  };

  sy.foot = function (root, data) {
    const foot = box("sy-foot", root);
    const said = sy.el("details");
    said.appendChild(sy.el("summary", "", data.words.about));
    const sheet = sy.el("div", "sy-card sy-about");
    data.statements.forEach((sentence) => sheet.appendChild(sy.el("p", "", sentence)));
    said.appendChild(sheet);
    foot.appendChild(said);
    foot.appendChild(sy.el("span", "sy-approval", data.approval));
    if (data.office) foot.appendChild(sy.el("span", "sy-office", data.office));
    foot.appendChild(sy.el("span", "sy-attribution", data.attribution));
  };
})(window.sy);
