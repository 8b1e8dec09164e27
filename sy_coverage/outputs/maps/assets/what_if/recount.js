/* Counts a county's choice of sites again: cost, elders within reach, their minutes, units and targets. No page is needed. */
(function (sy) {
  const STATES = ["open", "shut", "require", "forbid", "auto"];

  /* Pairs of sites and villages, as Python packed them: see `_pairs`. */
  function unpacked(reach) {
    const text = atob(reach.pairs);
    let at = 0;
    function next() {
      let number = 0;
      let scale = 1;
      for (;;) {
        const byte = text.charCodeAt(at);
        at += 1;
        number += (byte & 127) * scale;
        if (byte < 128) return number;
        scale *= 128;
      }
    }
    return reach.rows.map((row) => {
      const count = next();
      const villages = new Uint32Array(count);
      const tenths = new Uint16Array(count);
      const within = new Uint8Array(count);
      let village = 0;
      for (let i = 0; i < count; i += 1) {
        const step = next();
        village += step >> 1;
        villages[i] = village;
        within[i] = step & 1;
        tenths[i] = next();
      }
      return { row, villages, tenths, within };
    });
  }
  /* A share is reached exactly: whole numbers are compared, never rounded ones. */
  function reaches(part, whole, share) {
    return BigInt(part) * BigInt(share[1]) >= BigInt(whole) * BigInt(share[0]);
  }

  sy.Recount = function (data) {
    const sites = data.sites;
    const rowOf = new Map(sites.map((site, row) => [site.i, row]));
    const wholeElders = data.elders.every(Number.isInteger);
    const reach = data.reach.map((one) => ({ kind: one.kind, cap: one.cap * 10, base: one.base, baseWithin: one.base_within, sites: unpacked(one) }));
    const states = sites.map(() => "auto");
    let past = [];
    this.sites = sites;

    const row = (id) => {
      const found = rowOf.get(String(id));
      if (found === undefined) throw new RangeError("no such site: " + id);
      return found;
    };
    const heirs = sites.map((site) => (data.heirs[site.i] || []).map((id) => rowOf.get(id)));
    const wanted = (n) => (states[n] === "auto" ? sites[n].o === 1 : states[n] === "open" || states[n] === "require");
    /* what another site is rebuilt from, or moves from, leaves when that opens */
    const isOpen = (n) => wanted(n) && !heirs[n].some(wanted);
    this.isOpen = (id) => isOpen(row(id));
    this.stateOf = (id) => states[row(id)];
    this.has = (id) => rowOf.has(String(id));
    this.changed = () => sites.filter((_, n) => states[n] !== "auto").map((site) => [site.i, states[rowOf.get(site.i)]]);
    this.set = function (id, state) {
      if (!STATES.includes(state)) throw new RangeError("no such state: " + state + "; there are " + STATES.join(", "));
      const n = row(id);
      if (states[n] === state) return;
      past.push([[n, states[n]]]);
      states[n] = state;
    };
    this.reset = function () {
      const before = [];
      states.forEach((state, n) => { if (state !== "auto") before.push([n, state]); });
      if (before.length) past.push(before);
      states.fill("auto");
    };
    this.load = function (choice) {
      const before = states.map((state, n) => [n, state]);
      states.fill("auto");
      choice.forEach(([id, state]) => { if (rowOf.has(id) && STATES.includes(state)) states[rowOf.get(id)] = state; });
      past.push(before);
    };
    this.undo = function () {
      const before = past.pop();
      if (before) before.forEach(([n, state]) => { states[n] = state; });
      return Boolean(before);
    };
    this.canUndo = () => past.length > 0;

    /* Of one kind: the nearest tenths of minutes and whether a site is within the cutoff, village by village. */
    function nearest(one) {
      const best = new Float64Array(data.elders.length).fill(Infinity);
      const within = new Uint8Array(data.elders.length);
      one.base.forEach((tenths, v) => { if (tenths >= 0) best[v] = tenths; });
      one.baseWithin.forEach((v) => { within[v] = 1; });
      one.sites.forEach(({ row: n, villages, tenths, within: near }) => {
        if (!isOpen(n)) return;
        for (let i = 0; i < villages.length; i += 1) {
          const v = villages[i];
          if (tenths[i] < best[v]) best[v] = tenths[i];
          within[v] |= near[i];
        }
      });
      return { best, within };
    }
    function coveredUnits(kind, within) {
      const present = new Uint8Array(data.units.length);
      sites.forEach((site, n) => { if (site.k === kind && site.u >= 0 && isOpen(n)) present[site.u] = 1; });
      if (data.rule === "presence") return present;
      const whole = new Float64Array(data.units.length);
      const part = new Float64Array(data.units.length);
      data.elders.forEach((elders, v) => {
        whole[data.unit_of[v]] += elders;
        if (within[v]) part[data.unit_of[v]] += elders;
      });
      const exact = (u) => (wholeElders ? reaches(part[u], whole[u], data.share) : part[u] * data.share[1] >= whole[u] * data.share[0]);
      return present.map((there, u) => Number(exact(u) && (data.rule === "access" || there)));
    }
    const scaled = (number, step) => (number * step[0]) / step[1];

    this.count = function () {
      let cost = -data.saved;
      sites.forEach((site, n) => { if (isOpen(n)) cost += site.c; });
      const anywhere = new Uint8Array(data.elders.length);
      let minutes = 0;
      let [walked, known] = [0, 0]; // of those whose way is known: who is beyond all times has none to average
      const covered = {};
      const withins = [];
      reach.forEach((one) => {
        const { best, within } = nearest(one);
        for (let v = 0; v < best.length; v += 1) {
          anywhere[v] |= within[v];
          minutes += (data.elders[v] * Math.min(best[v], one.cap)) / 10;
          if (best[v] < Infinity) {
            walked += (data.elders[v] * best[v]) / 10;
            known += data.elders[v];
          }
        }
        covered[one.kind] = coveredUnits(one.kind, within);
        withins.push(within);
      });
      let elders = 0;
      anywhere.forEach((near, v) => { if (near) elders += data.elders[v]; });
      const targets = {};
      const failing = new Set();
      data.targets.forEach((target) => {
        let value;
        if (target.counts === "units") {
          const kind = covered[target.kind];
          const reached = target.members.filter((u) => kind[u]);
          value = target.members.length ? reached.length / target.members.length : null;
          target.members.forEach((u) => { if (!kind[u]) failing.add(u); });
          targets[target.id] = { value, met: reached.length >= target.needed };
        } else {
          const twice = new Set((target.once || []).filter(([, other]) => isOpen(other)).map(([n]) => n));
          value = target.members.filter((n) => isOpen(n) && !twice.has(n)).length;
          targets[target.id] = { value, met: value >= target.needed };
        }
      });
      const first = reach.length ? covered[reach[0].kind] : new Uint8Array(data.units.length);
      const standing = reach.map((one) => covered[one.kind]);
      let units = 0;
      data.counted.forEach((counts, u) => { if (counts && standing.some((kind) => kind[u])) units += 1; });
      this.covered = new Map(data.units.map((id, u) => [id, Boolean(first[u])]));
      this.within = new Map(data.villages.map((id, v) => [id, withins.length > 0 && Boolean(withins[0][v])]));
      return {
        cost: scaled(cost, data.cost_step), elders_within: scaled(elders, data.elders_step), elder_minutes: scaled(minutes, data.elders_step),
        mean_minutes: known > 0 ? walked / known : null,
        units_covered: units, targets, units_failing: Array.from(failing, (u) => data.units[u]),
      };
    };
    /* Minutes by road between a village and a site, where they are known; null otherwise. */
    this.minutes = function (village, site) {
      const v = data.villages.indexOf(village);
      for (const one of reach) {
        const own = one.sites.find(({ row: n }) => sites[n].i === site);
        const at = own ? own.villages.indexOf(v) : -1;
        if (at >= 0) return own.tenths[at] / 10;
      }
      return null;
    };
    /* The choice as a what-if of a study: what is opened, what is not, what closes. */
    this.choice = function () {
      const open = (n) => isOpen(n);
      const ids = (test) => sites.filter((site, n) => test(site, n)).map((site) => site.i).sort();
      return {
        version: 1,
        require: ids((site, n) => site.s === 0 && open(n)),
        forbid: ids((site, n) => site.s === 0 && !open(n) && (states[n] === "shut" || states[n] === "forbid")),
        close: ids((site, n) => site.s === 1 && !wanted(n)),
      };
    };
  };
})(window.sy);
