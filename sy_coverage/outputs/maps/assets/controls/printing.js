/* On paper and as a file: the map drawn anew for a sheet, with its scale as a number, and as a picture to take along. */
(function (sy) {
  /* On paper the map is drawn anew for the sheet, at twice the screen's fineness, and put back afterwards. */
  const SHEETS = { A4: [281, 192], A3: [404, 279] };
  /* One millimetre on paper is so many in the country, at the middle of the map: two figures that count. */
  sy.scaleNumber = function (map) {
    const metres = (40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom());
    const exact = metres / (0.0254 / 96);
    const unit = 10 ** (Math.floor(Math.log10(exact)) - 1);
    return Math.round(exact / unit) * unit;
  };
  /* A style sheet of our own making, which a policy without inline styles allows too. */
  function pageRule() {
    if (!document.adoptedStyleSheets) {
      const style = document.head.appendChild(document.createElement("style"));
      return (rule) => { style.textContent = rule; };
    }
    const made = new CSSStyleSheet();
    document.adoptedStyleSheets = Array.from(document.adoptedStyleSheets).concat([made]);
    return (rule) => made.replaceSync(rule);
  }
  sy.printing = function (root, map, data) {
    const write = pageRule();
    const ratio = sy.el("div", "sy-ratio");
    root.appendChild(ratio);
    let before = null;
    let sheet = "A4";
    function set() { write("@page { size: " + sheet + " landscape; margin: 8mm; }"); }
    set();
    sy.printOn = function (name) { sheet = name; set(); window.print(); };
    window.addEventListener("beforeprint", () => {
      const about = root.querySelector(".sy-foot details");
      before = { at: map.getCenter(), zoom: map.getZoom(), retina: L.Browser.retina, home: sy.atHome, about: about.open };
      about.open = true;
      const view = sy.atHome ? L.latLngBounds(data.bounds) : map.getBounds();
      root.classList.add("sy-printing");
      root.style.width = SHEETS[sheet][0] + "mm";
      root.style.height = SHEETS[sheet][1] + "mm";
      L.Browser.retina = true;
      map.invalidateSize({ animate: false, pan: false });
      const pad = before.home ? { left: 258, top: 10, right: 212, bottom: 52 } : { left: 0, top: 0, right: 0, bottom: 0 };
      sy.fit(map, view, [pad], sy.GREATEST_ZOOM);
      map.eachLayer((layer) => { if (layer instanceof L.Canvas) layer._reset(); });
      ratio.textContent = data.words.scale_number.replace("{value}", sy.scaleNumber(map).toLocaleString("en-US"));
    });
    window.addEventListener("afterprint", () => {
      root.classList.remove("sy-printing");
      root.style.width = "";
      root.style.height = "";
      L.Browser.retina = before.retina;
      map.invalidateSize({ animate: false, pan: false });
      map.setView(before.at, before.zoom, { animate: false });
      root.querySelector(".sy-foot details").open = before.about;
      sy.atHome = before.home;
      sy.layers.refresh();
    });
  };

  sy.outMenu = function (button, root, map, data) {
    const menu = sy.el("div", "sy-card sy-out");
    menu.hidden = true;
    menu.setAttribute("role", "group");
    menu.setAttribute("aria-label", data.words.print);
    L.DomEvent.disableClickPropagation(menu);
    const sheets = Object.keys(SHEETS).map((name) => [name, () => sy.printOn(name)]);
    const files = ["png", "svg"].map((format) => [format.toUpperCase(), () => sy.savePicture(root, map, data, format)]);
    [["sy-sheets", sheets], ["sy-files", files]].forEach(([className, acts]) => {
      const part = sy.el("div", className);
      acts.forEach(([name, act]) => {
        const choice = sy.el("button", "", name);
        choice.type = "button";
        choice.addEventListener("click", () => { show(false); act(); });
        part.appendChild(choice);
      });
      menu.appendChild(part);
    });
    root.appendChild(menu);
    button.setAttribute("aria-expanded", "false");
    function show(on) {
      menu.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
      (on ? menu.querySelector("button") : button).focus();
    }
    button.addEventListener("click", () => show(menu.hidden));
    sy.onEscape.push(() => (menu.hidden ? false : (show(false), true)));
  };
})(window.sy);
