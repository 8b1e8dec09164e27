/* The start of the page: everything in its order, and what Escape closes. */
(function (sy) {
  /* A base map that needs a key waits for its reader to give one: typed here, or behind "#tk=" in the address. */
  function base(root, data, tiles, layers) {
    const waiting = data.base.asks && !tiles[0].options.tk;
    data.base.shown = data.base.online && !waiting;
    if (!waiting) return null;
    const card = sy.el("div", "sy-card sy-asks");
    L.DomEvent.disableClickPropagation(card);
    const says = sy.el("p", "", data.words.key_ask);
    const input = sy.el("input");
    input.type = "password";
    input.autocomplete = "off";
    input.setAttribute("aria-label", data.words.key_ask);
    const button = sy.el("button", "sy-link", data.words.key_show);
    const shut = sy.el("button", "sy-close", "×");
    shut.type = "button";
    shut.setAttribute("aria-label", data.words.close);
    shut.addEventListener("click", () => card.remove());
    card.append(says, input, button, shut);
    function show(key) {
      if (!/^[0-9A-Za-z]{8,64}$/.test(key)) { says.textContent = data.words.key_wrong; return; }
      tiles.forEach((layer) => { layer.options.tk = key; layer.addTo(sy.map); });
      data.base.shown = true;
      layers().refresh();
      card.remove();
    }
    /* no form: one may not be sent from inside an embedding frame */
    button.type = "button";
    button.addEventListener("click", () => show(input.value.trim()));
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") button.click(); });
    root.appendChild(card);
    const given = /^#tk=([0-9A-Za-z]{8,64})$/.exec(window.location.hash);
    return given ? () => show(given[1]) : null;
  }

  /* Escape closes what was opened last of all that can be open. */
  function escapes(map, root) {
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (sy.onEscape.some((close) => close())) { event.preventDefault(); return; }
      const about = root.querySelector(".sy-foot details[open]");
      if (about) { about.open = false; about.querySelector("summary").focus(); } else map.closePopup();
    });
  }

  function frameOf(map, data) {
    const root = sy.el("main", "sy-root");
    const own = map.getContainer();
    own.parentNode.insertBefore(root, own);
    root.appendChild(own);
    own.setAttribute("role", "region");
    own.setAttribute("aria-label", data.words.map + " " + data.title);
    root.classList.toggle("sy-still", sy.still);
    root.classList.toggle("sy-embed", document.documentElement.dataset.embed === "yes" || /[?&]embed\b/.test(window.location.search));
    return root;
  }

  sy.start = function (map, tiles) {
    const data = sy.read();
    sy.map = map;
    sy.data = data;
    sy.measuring = false;
    sy.atHome = true;
    document.title = data.title;
    map.setMinZoom(sy.LEAST_ZOOM);
    map.setMaxZoom(sy.GREATEST_ZOOM);
    if (sy.still) Object.assign(map.options, { zoomAnimation: false, fadeAnimation: false, inertia: false });
    if (sy.still) map._zoomAnimated = false;
    const root = frameOf(map, data);
    const home = () => sy.home(root, map, data.bounds);
    sy.fit(map, data.bounds, [{ left: 0, top: 0, right: 0, bottom: 0 }]);
    map.on("dragstart zoomstart", () => { sy.atHome = false; });
    const key = base(root, data, tiles, () => sy.layers);
    const layers = new sy.Layers(map, data);
    sy.layers = layers;
    layers.refresh();
    const left = sy.el("div", "sy-left");
    const right = sy.el("div", "sy-right");
    root.insertBefore(left, map.getContainer());
    root.insertBefore(right, map.getContainer());
    sy.heading(left, data, layers);
    sy.search(right, data, layers);
    sy.panel(right, data, layers);
    sy.tools(root, map, data, home);
    sy.foot(root, data);
    sy.whatIf(root, data, layers);
    sy.printing(root, map, data);
    sy.wheel(map);
    escapes(map, root);
    /* the map lies between the cards, whose size is known only now */
    sy.atHome = true;
    sy.watchSize(root, map, data);
    sy.link(root, map, data, layers);
    if (key) key();
    root.dataset.ready = "yes";
  };
})(window.sy);
