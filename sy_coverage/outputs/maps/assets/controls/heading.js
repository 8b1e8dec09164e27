/* The title block: what is shown, its figures at the point in time that is shown, and the choice of that point. */
(function (sy) {
  sy.card = function (className, parent) {
    const node = sy.el("div", className);
    L.DomEvent.disableClickPropagation(node);
    L.DomEvent.disableScrollPropagation(node);
    parent.appendChild(node);
    return node;
  };

  function facts(data, layers) {
    const list = sy.el("dl", "sy-facts");
    const shown = data.facts.map((fact) => {
      const cell = sy.el("div");
      const value = sy.el("dd");
      const was = sy.el("span", "sy-was", fact.today);
      const arrow = sy.el("span", "sy-arrow", "→");
      const now = sy.el("b", "", fact.plan);
      value.append(was, arrow, now);
      /* a term stands before its description, whatever the style sheet does with them */
      cell.append(sy.el("dt", "", fact.label), value);
      list.appendChild(cell);
      return { fact, was, arrow, now, cell };
    });
    sy.showFacts = function () {
      const state = layers.now();
      shown.forEach(({ fact, was, arrow, now, cell }) => {
        /* what nobody worked out for this year is not shown with the figures of another */
        cell.hidden = fact.values[state] === null;
        cell.classList.toggle("sy-short", Boolean(fact.short) && state === data.states.length - 1);
        const before = state > 0 && fact.today !== null;
        was.hidden = !before;
        arrow.hidden = !before;
        now.textContent = fact.values[state];
      });
    };
    sy.showFacts();
    sy.onChange.push(sy.showFacts);
    return list;
  }

  function states(data, layers) {
    const bar = sy.el("div", "sy-states");
    bar.setAttribute("role", "radiogroup");
    bar.setAttribute("aria-label", data.words.states);
    data.states.forEach((name, i) => {
      const button = sy.el("button", "", name);
      button.type = "button";
      button.setAttribute("role", "radio");
      function choose() {
        mark(i);
        layers.at(i);
        if (sy.onState) sy.onState(name);
      }
      button.addEventListener("click", choose);
      button.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        const next = step && bar.children[i + step];
        if (step) event.preventDefault();
        if (next) { next.focus(); next.click(); }
      });
      bar.appendChild(button);
    });
    function mark(at) {
      Array.from(bar.children).forEach((one, i) => {
        one.setAttribute("aria-checked", String(i === at));
        one.tabIndex = i === at ? 0 : -1;
      });
    }
    mark(data.states.length - 1);
    return bar;
  }

  sy.heading = function (root, data, layers) {
    const card = sy.card("sy-card sy-title", root);
    card.appendChild(sy.el("h1", "", data.title));
    const fold = sy.el("button", "sy-fold");
    fold.type = "button";
    fold.setAttribute("aria-label", data.words.figures);
    card.appendChild(fold);
    card.appendChild(sy.el("p", "sy-sub", data.date));
    data.notices.forEach((notice) => card.appendChild(sy.el("p", "sy-notice", notice)));
    card.appendChild(facts(data, layers));
    card.appendChild(sy.el("p", "sy-proof", data.proof));
    card.appendChild(states(data, layers));
    sy.compareButton(card, data, layers);
    function folded(on) {
      card.classList.toggle("sy-folded", on);
      fold.setAttribute("aria-expanded", String(!on));
    }
    let chosen = false;
    fold.addEventListener("click", () => {
      chosen = true;
      folded(!card.classList.contains("sy-folded"));
      if (sy.atHome) sy.home(sy.map.getContainer().closest(".sy-root"), sy.map, data.bounds);
    });
    folded(false);
    /* Small frames have small cards, until their reader says otherwise. */
    sy.fold = function (small, narrow) {
      if (!chosen) folded(small);
      if (sy.foldPanel) sy.foldPanel(narrow);
    };
  };
})(window.sy);
