/* The search: names, former names, numbers of sites, pinyin and its initials; a list that keys and screen readers can walk. */
(function (sy) {
  const MOST = 30;
  const KINDS = { name: 0, unit: 1, pin: 2, symbol: 3, dot: 4 };
  const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s'’·]+/g, "");

  /* The reading of a name: that of its characters one by one, or its own where that differs. */
  function readings(data, feature, text) {
    const known = text === feature.t && feature.y ? feature.y.split(" ") : Array.from(text).map((c) => data.pinyin[c] || c);
    return { full: folded(known.join("")), initials: folded(known.map((one) => one.charAt(0)).join("")) };
  }

  function entriesOf(data, layers) {
    const entries = [];
    const seen = new Set();
    layers.all.forEach(({ layer }) => {
      if (!(layer.type in KINDS)) return;
      layer.features.forEach((feature) => {
        const key = layer.type + feature.t + feature.p;
        if (seen.has(key)) return;
        seen.add(key);
        const where = layer.type === "dot" ? feature.v[0] : layer.type === "unit" ? feature.v[1] : layer.name;
        const entry = { layer, feature, text: feature.t, where: layer.type === "name" ? "" : where || "", w: KINDS[layer.type] };
        const add = (text, more) => entries.push({ ...entry, ...more, text, key: folded(text), ...readings(data, feature, text) });
        add(feature.t, {});
        (feature.k || []).forEach((old) => add(old, { where: data.words.search_now.replace("{what}", () => feature.t) }));
        if (layer.type === "pin") {
          const site = data.words.site_number.replace("{county}", () => feature.w || "").replace("{number}", () => String(feature.n)).trim();
          entries.push({ ...entry, text: site, where: feature.t, number: String(feature.n), key: folded(site), full: "", initials: "" });
        }
      });
    });
    return entries;
  }

  function rank(entry, what) {
    if (entry.number === what) return 1;
    if (entry.key === what) return 0;
    if (entry.key.startsWith(what)) return 10;
    if (entry.key.includes(what)) return 20;
    if (!/^[a-z0-9]+$/.test(what) || (what.length < 2 && !/[a-z]/.test(what))) return -1;
    if (entry.full === what || entry.initials === what) return 5;
    if (entry.full.startsWith(what) || entry.initials.startsWith(what)) return 15;
    return what.length > 1 && (entry.initials.includes(what) || entry.full.includes(what)) ? 30 : -1;
  }

  sy.search = function (root, data, layers) {
    const card = sy.card("sy-card sy-search", root);
    const input = sy.el("input");
    const list = sy.el("ul");
    const live = sy.el("p", "sy-live");
    list.id = "sy-found";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", data.words.search);
    live.setAttribute("role", "status");
    const attributes = { type: "search", placeholder: data.words.search, autocomplete: "off", role: "combobox", "aria-label": data.words.search,
      "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" };
    Object.keys(attributes).forEach((name) => input.setAttribute(name, attributes[name]));
    card.append(input, list, live);
    let entries = null;
    let found = [];
    let at = -1;
    function show(on) {
      list.hidden = !on;
      input.setAttribute("aria-expanded", String(on));
      if (!on) input.removeAttribute("aria-activedescendant");
    }
    function pick(entry) {
      show(false);
      input.value = entry.text;
      sy.go(layers, entry.layer, entry.feature, input);
    }
    function mark() {
      Array.from(list.children).forEach((row, i) => {
        row.classList.toggle("sy-at", i === at);
        row.setAttribute("aria-selected", String(i === at));
      });
      const row = list.children[at];
      if (!row) return;
      row.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", row.id);
    }
    function rowOf(entry, i) {
      const row = sy.el("li");
      row.id = "sy-found-" + i;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      row.appendChild(sy.el("span", "", entry.text));
      const reach = sy.reachAt(data, entry.feature, layers.now());
      const says = reach ? data.words[reach.within ? "within" : "beyond_limit"] : "";
      row.appendChild(sy.el("small", "", [entry.where, says].filter(Boolean).join(" ")));
      row.addEventListener("click", () => pick(entry));
      return row;
    }
    function look() {
      const what = folded(input.value);
      at = -1;
      found = [];
      list.replaceChildren();
      show(Boolean(what));
      if (!what) { live.textContent = ""; return; }
      entries = entries || entriesOf(data, layers);
      const ranked = [];
      entries.forEach((entry) => {
        const r = rank(entry, what);
        if (r >= 0) ranked.push([r + entry.w, entry]);
      });
      const places = new Set();
      found = ranked.sort((p, q) => p[0] - q[0]).map(([, entry]) => entry)
        .filter((entry) => { const key = entry.text + entry.where + entry.feature.p; return !places.has(key) && places.add(key); }).slice(0, MOST);
      found.forEach((entry, i) => list.appendChild(rowOf(entry, i)));
      const none = data.words.search_none.replace("{what}", () => input.value);
      if (!found.length) {
        const row = sy.el("li", "sy-none", none);
        row.setAttribute("role", "option");
        row.setAttribute("aria-disabled", "true");
        list.appendChild(row);
      }
      live.textContent = found.length ? data.words.search_count.replace("{value}", () => String(found.length)) : none;
    }
    input.addEventListener("input", look);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && found.length) pick(found[Math.max(at, 0)]);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (list.hidden && found.length) show(true);
        at = Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), found.length - 1);
        mark();
        event.preventDefault();
      }
    });
    sy.onEscape.push(() => {
      if (list.hidden) return false;
      show(false);
      return true;
    });
  };
})(window.sy);
