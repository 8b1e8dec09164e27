/* 试一试: sites are switched on and off by a click, required or forbidden, and what that comes to is counted at once. */
(function (sy) {
  const NAMES = ["A", "B"];
  const GREY = "#a3a3a3";

  /* Two choices are kept side by side; one of them is edited. */
  function Choices(data) {
    const both = NAMES.map(() => new sy.Recount(data));
    let at = 0;
    this.base = new sy.Recount(data).count();
    this.both = both;
    this.now = () => both[at];
    this.at = () => at;
    this.take = (n) => { at = n; };
  }

  function api(choices, plan, told) {
    const acts = {
      set(id, state) { choices.now().set(id, state); told(id); },
      reset() { choices.now().reset(); told(); },
      undo() { const done = choices.now().undo(); told(); return done; },
      count: () => choices.now().count(),
      choice: () => choices.now().choice(),
      states: () => choices.now().changed(),
    };
    if (plan) acts.plan = () => plan(choices.now()).then((answer) => { told(); return answer; });
    return Object.freeze(acts);
  }

  function button(parent, className, text, act) {
    const node = sy.el("button", className, text);
    node.type = "button";
    node.addEventListener("click", act);
    parent.appendChild(node);
    return node;
  }

  /* How the map shows a choice: units and villages by what is counted, sites open or shut, candidates besides. */
  function Shown(map, data, layers, choices, pick) {
    const spare = L.layerGroup();
    const villages = L.layerGroup();
    const renderer = layers.canvas;
    const shapes = new Map();
    const pinned = new Set(layers.pins.all.map((pin) => pin.feature.i));
    data.what_if.sites.filter((site) => site.s === 0 && !pinned.has(site.i) && site.p).forEach((site) => {
      const shape = new sy.Symbol(sy.point(site.p), { renderer, symbol: "diamond", radius: 5.5, color: "#1d2733", weight: 1.4, fillOpacity: 1 });
      shape.bindTooltip(() => sy.el("span", "", site.t + "（" + data.what_if.kinds[site.k] + "）"), { direction: "auto" });
      shape.on("click", (event) => { L.DomEvent.stopPropagation(event); pick(site.i, true); });
      shapes.set(site.i, shape);
      spare.addLayer(shape);
    });
    const dots = [];
    const seen = new Set();
    layers.all.filter((e) => e.layer.type === "dot").forEach((entry) => entry.layer.features.forEach((feature) => {
      if (seen.has(feature.i)) return;
      seen.add(feature.i);
      dots.push({ feature, entry, shape: L.circleMarker(sy.point(feature.p), { renderer, radius: feature.r, interactive: false }) });
    }));
    function on(name) { const entry = layers.all.find((e) => e.layer.id === "village-" + name); return !entry || entry.on; }
    this.draw = function () {
      const now = choices.now();
      shapes.forEach((shape, id) => shape.setStyle({ fillColor: now.isOpen(id) ? "#c77700" : "#ffffff" }));
      layers.pins.all.forEach((pin) => { if (pin.marker._icon && now.has(pin.feature.i)) pin.marker._icon.classList.toggle("sy-closed", !now.isOpen(pin.feature.i)); });
      layers.all.filter((e) => e.layer.type === "symbol").forEach((e) => e.items.forEach(({ feature, shape }) => {
        if (now.has(feature.i)) shape.setStyle({ fillColor: now.isOpen(feature.i) ? e.layer.colour : GREY });
      }));
      const counts = { covered: 0, uncovered: 0 };
      dots.forEach(({ feature, shape }) => {
        const counted = now.within.get(feature.i);
        /* of other counties what the whole plan gives */
        const within = counted === undefined ? feature.c >= 0 : counted;
        counts[within ? "covered" : "uncovered"] += 1;
        const wanted = on(within ? "covered" : "uncovered");
        if (wanted) shape.setStyle({ ...sy.DOTS[within ? "covered" : "uncovered"], radius: feature.r });
        if (wanted !== villages.hasLayer(shape)) (wanted ? villages.addLayer(shape) : villages.removeLayer(shape));
      });
      layers.all.filter((e) => e.layer.type === "dot" && e.onCount).forEach((e) => e.onCount(counts[e.layer.style]));
      [villages, spare].forEach((group) => group.eachLayer((shape) => shape.bringToFront()));
    };
    this.show = function (shown) {
      [villages, spare].forEach((group) => (shown ? group.addTo(map) : group.remove()));
      layers.judge = shown ? { unit: (id) => choices.now().covered.get(id), hidden: (layer) => layer.type === "dot" } : null;
      if (!shown) layers.all.filter((e) => e.layer.type === "symbol").forEach((e) => e.items.forEach(({ feature, shape }) => {
        shape.setStyle({ fillColor: feature.o === "planned" ? "#ffffff" : feature.o === "closed" ? GREY : e.layer.colour });
      }));
      layers.refresh();
      if (shown) this.draw();
    };
  }

  function number(value, digits) { return value.toLocaleString("en-US", { maximumFractionDigits: digits || 0 }); }

  function figures(parent, data, choices) {
    const words = data.words;
    const table = sy.el("table", "sy-counts");
    const head = sy.el("tr");
    ["", words.try_base].concat(NAMES.map((name) => words.try_choice + " " + name)).forEach((text) => head.appendChild(sy.el(text ? "th" : "td", "", text)));
    table.appendChild(head);
    const rows = [
      [words.try_cost, (c) => number(c.cost, 2)], [words.try_elders, (c) => number(c.elders_within, 1)],
      [words.try_minutes, (c) => (c.mean_minutes === null ? "" : number(c.mean_minutes, 1))], [words.try_units, (c) => number(c.units_covered)],
    ].concat(data.what_if.targets.map((target) => [target.name, (c) => {
      const got = c.targets[target.id];
      const value = got.value === null ? "" : target.counts === "units" ? number(got.value * 100, 1) + "%" : number(got.value);
      return value + " " + words[got.met ? "try_met" : "try_unmet"];
    }]));
    const cells = rows.map(([name, say]) => {
      const row = sy.el("tr");
      const first = sy.el("th", "", name);
      first.scope = "row";
      row.appendChild(first);
      const own = [0, 1, 2].map(() => row.appendChild(sy.el("td")));
      table.appendChild(row);
      return { say, own };
    });
    const failing = sy.el("p", "sy-note");
    failing.setAttribute("role", "status");
    parent.append(table, failing);
    const nameOf = new Map();
    return function () {
      if (!nameOf.size) sy.layers.all.filter((e) => e.layer.type === "unit").forEach((e) => e.layer.features.forEach((f) => nameOf.set(f.i, f.t)));
      const counts = [choices.base].concat(choices.both.map((one) => one.count()));
      choices.now().count();
      cells.forEach(({ say, own }) => counts.forEach((count, n) => {
        const text = say(count);
        own[n].textContent = text;
        own[n].classList.toggle("sy-differs", n > 0 && text !== say(counts[0]));
        own[n].classList.toggle("sy-edited", n === choices.at() + 1);
      }));
      const units = counts[choices.at() + 1].units_failing.map((id) => nameOf.get(id) || id);
      failing.textContent = words.try_failing.replace("{count}", () => String(units.length)).replace("{names}", () => units.slice(0, 12).join("、") + (units.length > 12 ? "…" : ""));
    };
  }

  /* Every site in a list, for keys and screen readers; a click on the map chooses it here too. */
  function chooser(parent, data, choices, changed) {
    const words = data.words;
    const label = sy.el("label", "sy-site-choice", words.site);
    const list = sy.el("select");
    label.appendChild(list);
    const kinds = Object.keys(data.what_if.kinds);
    [[0, words.try_candidates], [1, words.try_standing]].forEach(([standing, name]) => kinds.forEach((kind) => {
      const own = data.what_if.sites.filter((site) => site.k === kind && site.s === standing);
      if (!own.length) return;
      const group = sy.el("optgroup");
      group.label = name + "：" + data.what_if.kinds[kind];
      own.forEach((site) => { const option = sy.el("option", "", site.t); option.value = site.i; group.appendChild(option); });
      list.appendChild(group);
    }));
    const bar = sy.el("div", "sy-choice");
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", words.site);
    const buttons = ["auto", "open", "shut", "require", "forbid"].map((state) => {
      const one = button(bar, "", words["try_" + state], () => { choices.now().set(list.value, state); changed(list.value); });
      one.dataset.state = state;
      return one;
    });
    parent.append(label, bar);
    function update() {
      if (!list.value) return;
      const state = choices.now().stateOf(list.value);
      buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.state === state)));
    }
    list.addEventListener("change", update);
    return { update, pick: (id) => { list.value = id; update(); } };
  }

  function keep(parent, data, choices, changed) {
    const words = data.words;
    const bar = sy.el("div", "sy-acts");
    NAMES.forEach((name, n) => {
      const one = button(bar, "sy-which", words.try_choice + " " + name, () => { choices.take(n); changed(); });
      one.dataset.choice = String(n);
    });
    button(bar, "", words.try_undo, () => { choices.now().undo(); changed(); });
    button(bar, "", words.try_reset, () => { choices.now().reset(); changed(); });
    const written = () => JSON.stringify({ ...choices.now().choice(), made_from: data.what_if.made_from || "" }, null, 1);
    button(bar, "", words.try_save, () => sy.hand(new Blob([written()], { type: "application/json" }), words.try_file));
    /* Whoever shows this page in a frame, such as the desk, may take the choice; it holds ids and nothing else. */
    if (window.parent !== window) button(bar, "sy-to-desk", words.try_hand, () => window.parent.postMessage({ kind: "sy-choice", text: written() }, "*"));
    const file = sy.el("input");
    file.type = "file";
    file.accept = ".json";
    file.hidden = true;
    file.addEventListener("change", () => {
      const reader = new FileReader();
      reader.onload = () => {
        try {
          const given = JSON.parse(String(reader.result));
          const wanted = new Map();
          data.what_if.sites.forEach((site) => { if (site.s === 0 && site.o === 1) wanted.set(site.i, "shut"); });
          [["require", "require"], ["forbid", "forbid"], ["close", "shut"]].forEach(([key, state]) => (given[key] || []).forEach((id) => wanted.set(String(id), state)));
          choices.now().load(Array.from(wanted));
          changed();
        } catch (error) { window.alert(words.try_wrong); }
        file.value = "";
      };
      reader.readAsText(file.files[0]);
    });
    button(bar, "", words.try_load, () => file.click());
    bar.appendChild(file);
    parent.appendChild(bar);
    return () => bar.querySelectorAll(".sy-which").forEach((one) => one.setAttribute("aria-pressed", String(Number(one.dataset.choice) === choices.at())));
  }

  /* Everything for one county; returns how it is shown, and how it is taken away again. */
  function start(root, data, layers, open) {
    const choices = new Choices(data.what_if);
    let shown = null;
    let updates = [];
    function changed(id) {
      if (sy.tellOutside) sy.tellOutside();
      if (!shown) return;
      updates.forEach((update) => update());
      if (id !== undefined) chosen.pick(id);
      layers.refresh();
      shown.draw();
    }
    const planner = sy.planner ? sy.planner(data) : null;
    window.whatIf = api(choices, planner, changed);
    sy.minutesOf = (village, site) => (choices.now().has(site) ? choices.now().minutes(village, site) : null);
    function pick(id, toggle) {
      const now = choices.now();
      if (!now.has(id)) return false;
      if (toggle) now.set(id, now.isOpen(id) ? "shut" : "open");
      changed(id);
      return true;
    }
    const card = sy.card("sy-card sy-what", root.querySelector(".sy-left"));
    card.hidden = true;
    card.appendChild(sy.el("h2", "", data.words.try));
    card.appendChild(sy.el("p", "sy-note", data.words.try_note));
    const update = figures(card, data, choices);
    const chosen = chooser(card, data, choices, changed);
    updates = [update, chosen.update, keep(card, data, choices, changed)];
    if (planner) updates.push(sy.planButton(card, data, choices, planner, changed));
    function show(on) {
      card.hidden = !on;
      open.setAttribute("aria-expanded", String(on));
      root.classList.toggle("sy-trying", on);
      sy.map.closePopup();
      if (on && root.classList.contains("sy-comparing")) root.querySelector(".sy-compare").click();
      if (on) root.querySelector(".sy-states button:last-child").click();
      if (on && !shown) shown = new Shown(sy.map, data, layers, choices, pick);
      sy.whatIfClick = on ? (feature) => pick(feature.i, true) : null;
      updates.forEach((one) => one());
      shown.show(on);
      if (!on) layers.pins.all.forEach((pin) => { if (pin.marker._icon) pin.marker._icon.classList.remove("sy-closed"); });
      if (sy.atHome) sy.home(root, sy.map, data.bounds);
    }
    sy.map.on("zoomend moveend", () => { if (shown && !card.hidden) shown.draw(); });
    sy.onChange.push(() => { if (shown && !card.hidden) shown.draw(); });
    sy.onEscape.push(() => (card.hidden || !card.contains(document.activeElement) ? false : (show(false), open.focus(), true)));
    return { card, show, isShown: () => !card.hidden, away: () => { if (!card.hidden) show(false); card.remove(); } };
  }

  /* On the map of a city one county at a time is tried. */
  function ofCity(root, data, layers, open) {
    let current = null;
    function take(id, on) {
      if (current) current.away();
      data.what_if = data.what_ifs[id];
      current = start(root, data, layers, open);
      window.whatIf = Object.freeze({ ...window.whatIf, county: (other) => take(other, false) });
      const label = sy.el("label", "sy-site-choice", data.words.try_county);
      const list = sy.el("select");
      Object.keys(data.what_ifs).forEach((one) => {
        const option = sy.el("option", "", data.what_ifs[one].name);
        option.value = one;
        option.selected = one === id;
        list.appendChild(option);
      });
      list.addEventListener("change", () => take(list.value, true));
      label.appendChild(list);
      current.card.insertBefore(label, current.card.children[1]);
      if (on) { current.show(true); list.focus(); }
    }
    take(Object.keys(data.what_ifs)[0], false);
    return { show: (on) => current.show(on), isShown: () => current.isShown() };
  }

  sy.whatIf = function (root, data, layers) {
    if (!data.what_if && !data.what_ifs) return;
    let parts = null;
    sy.tellOutside = sy.outside();
    const open = button(root.querySelector(".sy-title"), "sy-link sy-try", data.words.try, () => parts.show(!parts.isShown()));
    open.setAttribute("aria-expanded", "false");
    parts = (data.what_ifs ? ofCity : start)(root, data, layers, open);
  };
})(window.sy);
