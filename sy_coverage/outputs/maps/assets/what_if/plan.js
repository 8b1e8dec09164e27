/* Plan again: the county's own program, solved in the page under other bounds. Nothing is fetched: solver and program lie in the page. */
(function (sy) {
  const LIMIT_S = 60;
  const text = (id) => { const part = document.getElementById(id); return part ? part.textContent.trim() : ""; };

  async function inflated(packed) {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  }

  function Solver() {
    let worker = null;
    let calls = 0;
    const waiting = new Map();
    async function started() {
      const code = [await inflated(text("sy-highs-js")), "self.Module = Module;", await inflated(text("sy-worker-js"))];
      const url = URL.createObjectURL(new Blob(code.map((part) => part + "\n"), { type: "text/javascript" }));
      const made = new Worker(url);
      URL.revokeObjectURL(url);
      made.onmessage = ({ data }) => {
        const call = waiting.get(data.id);
        if (!call) return;
        if (data.stage) { call.say(data.stage); return; }
        waiting.delete(data.id);
        if (!data.failed) { call.resolve(data.answer); return; }
        call.reject(new Error(data.failed));
        /* the next one begins anew */
        made.terminate();
        over(data.failed);
      };
      made.onerror = (event) => over(event.message || "worker");
      return made;
    }
    function over(why) {
      waiting.forEach((call) => call.reject(new Error(why)));
      waiting.clear();
      worker = null;
    }
    this.ask = async function (program, bounds, stays, say) {
      worker = worker || started();
      const running = await worker.catch((error) => { worker = null; throw error; });
      calls += 1;
      const id = calls;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject, say: say || (() => {}) });
        running.postMessage({ id, bounds, stays, program, wasm: text("sy-highs-wasm"), limit: LIMIT_S });
      });
    };
  }

  /* What a choice asks of the program: bounds of its sites, and that a facility stays unless it is replaced; nothing else. */
  function boundsOf(program, choice) {
    const replaced = new Set(program.heirs.map(([n]) => n));
    return program.sites.map((id, n) => {
      const state = choice.stateOf(id);
      if (state === "require" || (program.standing[n] && state === "open")) return [1, program.hard[n]];
      if (state === "forbid" || (program.standing[n] && state === "shut")) return [0, 0];
      return [replaced.has(n) ? 0 : program.lower[n], program.upper[n]];
    });
  }
  function staysOf(program, choice) {
    return program.heirs.filter(([n]) => program.lower[n] && choice.stateOf(program.sites[n]) === "auto").map(([n, instead]) => [n, ...instead]);
  }
  /* Targets and units that stay unmet though everything that may open is open: why there is no plan. */
  function lacking(data, program, choice) {
    const widest = new sy.Recount(data.what_if);
    program.sites.forEach((id, n) => widest.set(id, boundsOf(program, choice)[n][1] ? "open" : "shut"));
    const count = widest.count();
    const missed = data.what_if.targets.filter((target) => !count.targets[target.id].met);
    const failing = new Set(count.units_failing);
    const units = missed.filter((t) => t.counts === "units").flatMap((t) => t.members.map((u) => data.what_if.units[u]).filter((id) => failing.has(id)));
    return { targets: missed.map((target) => target.id), units: Array.from(new Set(units)) };
  }

  sy.canSolve = () => [typeof WebAssembly, typeof DecompressionStream, typeof Worker].every((type) => type !== "undefined");
  sy.planner = function (data) {
    const program = data.what_if.program;
    if (!program || !document.getElementById("sy-highs-wasm")) return null;
    const solver = new Solver();
    const asked = planned(data, program, solver);
    return (choice, say) => (sy.canSolve() ? asked(choice, say) : Promise.reject(new Error("unable")))
      .catch((error) => { throw error.message === "unable" ? new Error(data.words.try_unable) : error; });
  };
  function planned(data, program, solver) {
    return async function (choice, say) {
      const asked = boundsOf(program, choice).map((bounds, n) => [bounds, n]);
      const barred = asked.filter(([[lower, upper]]) => lower > upper);
      const answer = barred.length ? { status: "infeasible", stages: [], sites: [] } : await solver.ask(program, boundsOf(program, choice), staysOf(program, choice), say);
      const sites = answer.sites.filter((id) => !program.standing[program.sites.indexOf(id)]).sort();
      const first = answer.stages[0];
      return {
        status: answer.status, objective: first ? first.value : null, bound: first ? first.bound : null, sites, stages: answer.stages,
        lacking: answer.status === "infeasible" ? { ...lacking(data, program, choice), sites: barred.map(([, n]) => program.sites[n]) } : null,
        certified: false, solver: answer.solver || "",
      };
    };
  }

  sy.planButton = function (card, data, choices, planner, changed) {
    const words = data.words;
    const button = sy.el("button", "sy-link sy-plan", words.try_plan);
    const says = sy.el("p", "sy-note sy-plan-says");
    button.type = "button";
    says.setAttribute("role", "status");
    const nameOf = (id) => {
      const unit = sy.layers.all.filter((e) => e.layer.type === "unit").flatMap((e) => e.layer.features).find((f) => f.i === id);
      const site = data.what_if.sites.find((one) => one.i === id);
      return unit ? unit.t : site ? site.t : id;
    };
    function why(answer) {
      const targets = answer.lacking.targets.map((id) => data.what_if.targets.find((t) => t.id === id).name);
      return words.try_infeasible.replace("{names}", () => targets.concat(answer.lacking.units.concat(answer.lacking.sites).map(nameOf)).slice(0, 12).join("、") || words.try_clash);
    }
    /* What is said holds for one choice as it was then; nothing is said of another. */
    const which = () => choices.at() + JSON.stringify(choices.now().changed());
    let about = null;
    function tell(text) { says.textContent = text; about = which(); }
    if (!sy.canSolve()) { button.disabled = true; says.textContent = words.try_unable; }
    button.addEventListener("click", () => {
      const choice = choices.now();
      const asked = which();
      button.disabled = true;
      about = null;
      says.textContent = words.try_solving;
      planner(choice).then((answer) => {
        if (which() !== asked) { tell(words.try_moved); return; }
        if (answer.status === "infeasible") { tell(why(answer)); return; }
        if (answer.status === "no_answer") { tell(words.try_no_answer); return; }
        const opened = new Set(answer.sites);
        const kept = new Map(choice.changed().filter(([, state]) => state === "require" || state === "forbid" || state === "shut"));
        data.what_if.sites.filter((site) => site.s === 0).forEach((site) => {
          const state = kept.get(site.i);
          if (state !== "require" && state !== "forbid") kept.set(site.i, opened.has(site.i) ? "open" : "shut");
        });
        choice.load(Array.from(kept));
        changed();
        tell(words.try_solved.replace("{status}", () => words["try_" + answer.status] || answer.status)
          .replace("{value}", () => String(answer.objective)).replace("{bound}", () => String(answer.bound)));
      }).catch((error) => { tell(error.message === words.try_unable ? error.message : words.try_failed.replace("{why}", () => error.message)); })
        .then(() => { button.disabled = false; });
    });
    card.append(button, says);
    return () => { if (about !== null && about !== which()) tell(""); };
  };
})(window.sy);
