/* The panel that is legend and layer control at once, the list to verify, and the foot of the page. */
(function (sy) {
  const box = sy.card;

  function swatch(entry) {
    const layer = entry.layer;
    if (layer.type === "extra") {
      const mark = sy.el("i", "sy-swatch sy-shed");
      mark.style.borderColor = layer.colour;
      mark.style.background = layer.colour + "33";
      return mark;
    }
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
      if (area.ring) mark.style.border = "3px solid " + area.ring;
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
    const status = legendOfAreas(data.difference ? [data.status[0], ...data.difference.legend, data.status[2]] : data.status);
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
    const fold = (shut) => { head.setAttribute("aria-expanded", String(!panel.classList.toggle("sy-shut", shut))); };
    /* The reader's own choice stays, whatever size the window takes. */
    head.addEventListener("click", () => { sy.foldPanel = null; fold(!panel.classList.contains("sy-shut")); });
    sy.foldPanel = fold;
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
    drawer.appendChild(shut);
    drawer.appendChild(sy.el("h2", "", data.checks.title));
    if (data.checks.note) drawer.appendChild(sy.el("p", "sy-sub", data.checks.note));
    const list = sy.el("ol");
    data.checks.rows.forEach((row) => {
      const item = sy.el("li");
      const name = sy.el(row.p ? "button" : "span", row.p ? "sy-go" : "sy-gone", row.t);
      if (row.p) {
        name.type = "button";
        name.addEventListener("click", () => sy.go(layers, { fields: [], type: "doubt" }, { t: row.t, s: row.v[0], p: row.p, v: [] }, name));
      }
      item.appendChild(name);
      item.appendChild(sy.el("p", "", row.v[0] + (row.p ? "" : (data.language === "zh" ? "（" : " (") + data.checks.missing + (data.language === "zh" ? "）" : ")"))));
      list.appendChild(item);
    });
    drawer.appendChild(list);
    button.setAttribute("aria-expanded", "false");
    const show = (on) => {
      drawer.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
      (on ? shut : button).focus();
    };
    button.addEventListener("click", () => show(drawer.hidden));
    shut.addEventListener("click", () => show(false));
    sy.onEscape.push(() => (drawer.hidden ? false : (show(false), true)));
    return button;
  }

  sy.go = function (layers, layer, feature, from) {
    const at = sy.point(feature.p);
    sy.atHome = false;
    sy.map.once("moveend", () => layers.open(layer, feature, at, from));
    sy.map.setView(at, Math.max(sy.map.getZoom(), 12), { animate: false });
  };

  sy.foot = function (root, data) {
    const foot = box("sy-foot", root);
    const said = sy.el("details");
    said.appendChild(sy.el("summary", "", data.words.about));
    const sheet = sy.el("div", "sy-card sy-about");
    data.statements.forEach((sentence) => sheet.appendChild(sy.el("p", "", sentence)));
    said.appendChild(sheet);
    foot.appendChild(said);
    data.notices.forEach((notice) => foot.appendChild(sy.el("span", "sy-foot-notice", notice)));
    foot.appendChild(sy.el("span", "sy-approval", data.approval));
    if (data.edition) foot.appendChild(sy.el("span", "sy-edition", data.edition));
    if (data.office) foot.appendChild(sy.el("span", "sy-office", data.office));
    foot.appendChild(sy.el("span", "sy-attribution", data.attribution));
  };
})(window.sy);
