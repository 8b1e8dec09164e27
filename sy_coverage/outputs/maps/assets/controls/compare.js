/* Today beside a later point in time: a second map lies under the first, which shows only what is right of a divider. */
(function (sy) {
  const FINEST = 2;

  function chip(root, className, text) {
    const node = sy.el("div", "sy-card sy-when " + className, text);
    root.appendChild(node);
    return node;
  }

  /* Both maps follow each other's view; while they are compared neither glides, so that they never drift apart. */
  function tie(one, other) {
    let busy = false;
    const act = (step) => {
      if (busy) return;
      busy = true;
      step();
      busy = false;
    };
    function follow(leader, follower) {
      /* while it is dragged a map only slides, and so does the other: both are drawn anew at the end */
      leader.on("move", () => act(() => {
        if (leader.getZoom() !== follower.getZoom()) return;
        const to = follower.project(leader.getCenter()).subtract(follower.project(follower.getCenter())).round();
        if (to.x || to.y) follower._rawPanBy(to);
      }));
      leader.on("moveend zoomend", () => act(() => {
        follower.setView(leader.getCenter(), leader.getZoom(), { animate: false });
        follower.fire("moveend");
      }));
    }
    follow(one, other);
    follow(other, one);
  }

  function divider(root, upper, words) {
    const bar = sy.el("div", "sy-divider");
    bar.tabIndex = 0;
    bar.setAttribute("role", "slider");
    bar.setAttribute("aria-label", words.divider);
    bar.setAttribute("aria-orientation", "horizontal");
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    bar.appendChild(sy.el("span", "", "⇔"));
    root.appendChild(bar);
    function put(share) {
      const at = Math.min(Math.max(share, 0.02), 0.98);
      bar.setAttribute("aria-valuenow", String(Math.round(at * 100)));
      bar.setAttribute("aria-valuetext", Math.round(at * 100) + " %");
      root.style.setProperty("--at", (at * 100).toFixed(2) + "%");
      upper.style.clipPath = "inset(0 0 0 " + (at * 100).toFixed(2) + "%)";
    }
    function drag(event) {
      const box = root.getBoundingClientRect();
      put((event.clientX - box.left) / box.width);
    }
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      bar.addEventListener("pointermove", drag);
      event.preventDefault();
      bar.focus();
    });
    bar.addEventListener("pointerup", () => bar.removeEventListener("pointermove", drag));
    bar.addEventListener("pointercancel", () => bar.removeEventListener("pointermove", drag));
    bar.addEventListener("keydown", (event) => {
      const now = Number(bar.getAttribute("aria-valuenow"));
      const to = { ArrowLeft: now - FINEST, ArrowDown: now - FINEST, ArrowRight: now + FINEST, ArrowUp: now + FINEST, Home: 0, End: 100 }[event.key];
      if (to === undefined) return;
      put(to / 100);
      event.preventDefault();
    });
    return { bar, put };
  }

  sy.compareButton = function (card, data, layers) {
    const root = card.closest(".sy-root");
    const button = sy.el("button", "sy-link sy-compare", data.words.compare);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    card.appendChild(button);
    let parts = null;

    function middle() {
      const west = sy.map.latLngToContainerPoint(L.latLng(data.bounds[0])).x;
      const east = sy.map.latLngToContainerPoint(L.latLng(data.bounds[1])).x;
      const width = root.clientWidth;
      const seen = [Math.max(west, 0), Math.min(east, width)];
      return seen[0] < seen[1] ? (seen[0] + seen[1]) / 2 / width : 0.5;
    }
    function build() {
      const own = sy.el("div", "sy-before");
      const upper = sy.map.getContainer();
      root.insertBefore(own, upper);
      const before = L.map(own, {
        zoomControl: false, attributionControl: false, preferCanvas: true, zoomSnap: sy.map.options.zoomSnap, zoomAnimation: false, inertia: false,
        minZoom: sy.LEAST_ZOOM, maxZoom: sy.GREATEST_ZOOM, keyboard: false,
      });
      before.setView(sy.map.getCenter(), sy.map.getZoom(), { animate: false });
      const twin = new sy.Layers(before, data);
      tie(sy.map, before);
      sy.beside = before;
      parts = { own, before, twin, upper, ...divider(root, upper, data.words) };
      parts.chips = [chip(root, "sy-when-before", data.states[0]), chip(root, "sy-when-after", "")];
    }
    function show(on) {
      button.setAttribute("aria-pressed", String(on));
      root.classList.toggle("sy-comparing", on);
      sy.map.closePopup();
      if (on && layers.now() === 0) root.querySelector(".sy-states button:last-child").click();
      if (on && !parts) build();
      const fade = sy.map.options;
      if (on) {
        parts.glides = { zoom: sy.map._zoomAnimated, inertia: fade.inertia };
        sy.map._zoomAnimated = false;
        fade.inertia = false;
        parts.twin.like(layers);
        parts.twin.at(0);
        layers.twin = parts.twin;
        parts.before.invalidateSize({ animate: false, pan: false });
        parts.before.setView(sy.map.getCenter(), sy.map.getZoom(), { animate: false });
        parts.chips[1].textContent = data.states[layers.now()];
        parts.put(middle());
      } else {
        sy.map._zoomAnimated = parts.glides.zoom;
        fade.inertia = parts.glides.inertia;
        parts.before.closePopup();
        layers.twin = null;
        parts.upper.style.clipPath = "";
      }
    }
    sy.onState = function (name) { if (parts) parts.chips[1].textContent = name; };
    sy.map.on("resize", () => { if (parts) parts.before.invalidateSize({ animate: false, pan: false }); });
    button.addEventListener("click", () => show(!root.classList.contains("sy-comparing")));
    sy.onEscape.push(() => (root.classList.contains("sy-comparing") && document.activeElement === (parts && parts.bar) ? (show(false), button.focus(), true) : false));
  };
})(window.sy);
