/* Runs in a worker of its own: solves the county's program stage after stage with HiGHS, under the bounds it is given. */
(function () {
  async function inflated(text, format) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format || "deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  /* Whole numbers of 7 bits a byte, the lowest first. */
  async function numbers(text) {
    const bytes = await inflated(text);
    const found = [];
    let number = 0;
    let scale = 1;
    for (let i = 0; i < bytes.length; i += 1) {
      number += (bytes[i] & 127) * scale;
      scale *= 128;
      if (bytes[i] < 128) { found.push(number); number = 0; scale = 1; }
    }
    return found;
  }
  function limits(told, none) {
    const found = [];
    for (let i = 0; i < told.length; i += 2) for (let k = 0; k < told[i + 1]; k += 1) found.push(told[i] === null ? none : told[i]);
    return found;
  }
  async function objective(stage) {
    const steps = await numbers(stage.at);
    const cost = await numbers(stage.cost);
    let at = 0;
    return { ...stage, at: steps.map((step) => { at += step; return at; }), cost: cost.map((one) => one / 1000) };
  }
  async function read(told) {
    const ends = await numbers(told.ends);
    const steps = await numbers(told.at);
    const values = (await numbers(told.value)).map((n) => told.values[n]);
    const starts = [0];
    ends.forEach((count) => starts.push(starts[starts.length - 1] + count));
    let at = 0;
    const indices = steps.map((step) => { at += step % 2 ? -(step + 1) / 2 : step / 2; return at; });
    const integrality = [];
    told.integer.forEach((count, n) => { for (let k = 0; k < count; k += 1) integrality.push(n % 2); });
    const stages = [];
    for (const stage of told.stages) stages.push(await objective(stage));
    const program = {
      numCols: told.columns, numRows: ends.length, integrality, stages, most: Float64Array.from(limits(told.most, Infinity)),
      rowLower: limits(told.row_lower, -Infinity), rowUpper: limits(told.row_upper, Infinity),
      matrix: { format: "csr", numRows: ends.length, numCols: told.columns, starts: Int32Array.from(starts), indices: Int32Array.from(indices), values: Float64Array.from(values) },
    };
    program.pairs = pairsOf(program, told.sites.length);
    return program;
  }

  /* Who is nearest to whom: rows of which one site alone is counted for a village, and the site behind each of their columns. */
  function pairsOf(program, sites) {
    const { starts, indices, values } = program.matrix;
    const siteOf = new Int32Array(program.numCols).fill(-1);
    const points = [];
    for (let row = 0; row < program.numRows; row += 1) {
      const at = indices.subarray(starts[row], starts[row + 1]);
      if (at.length === 2 && at[0] < sites && at[1] >= sites && values[starts[row]] === -1 && program.rowUpper[row] === 0) siteOf[at[1]] = at[0];
    }
    for (let row = 0; row < program.numRows; row += 1) {
      const at = indices.subarray(starts[row], starts[row + 1]);
      if (at.length > 1 && program.rowUpper[row] === 1 && program.rowLower[row] === -Infinity && at.every((column) => siteOf[column] >= 0)) points.push(at);
    }
    return { siteOf, points };
  }
  /* A site that is open in any case leaves nothing to be gained by those farther away: their columns are bounded by 0. */
  function closeFarther(model, { siteOf, points }, cost, bounds) {
    const sure = (column) => bounds[siteOf[column]][0] === 1;
    const never = (column) => bounds[siteOf[column]][1] === 0;
    points.forEach((at) => {
      let best = -1;
      at.forEach((column) => { if (sure(column) && cost[column] > 0 && (best < 0 || cost[column] > cost[best])) best = column; });
      at.forEach((column) => {
        if (cost[column] > 0 && (never(column) || (best >= 0 && column !== best && cost[column] <= cost[best]))) model.changeColBounds(column, 0, 0);
      });
    });
  }

  const TIE_S = 8;
  const zeros = (count, value) => new Float64Array(count).fill(value);

  /* Each stage is solved, and what it reached is kept: half a unit for whole objectives, 1e-9 relative for real ones. */
  function solve(highs, program, told, { bounds, stays, limit }, say) {
    const model = highs.createModel({
      numCols: program.numCols, numRows: program.numRows, sense: 1, offset: 0, colCost: zeros(program.numCols, 0),
      colLower: zeros(program.numCols, 0), colUpper: program.most, rowLower: program.rowLower, rowUpper: program.rowUpper,
      matrix: program.matrix, integrality: program.integrality,
    });
    const stages = [];
    const kept = [];
    let rows = program.numRows + stays.length;
    let chosen = null;
    let status = "optimal";
    const end = Date.now() + limit * 1000;
    try {
      bounds.forEach(([lower, upper], n) => model.changeColBounds(n, lower, upper));
      stays.forEach((group) => model.addRow(1, Infinity, { indices: Int32Array.from(group.slice().sort((p, q) => p - q)), values: zeros(group.length, 1) }));
      Object.entries({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: 1e-6, random_seed: 0 }).forEach(([name, value]) => model.options.set(name, value));
      for (const stage of program.stages) {
        const cost = zeros(program.numCols, 0);
        stage.at.forEach((column, i) => { cost[column] = stage.cost[i]; });
        model.changeObjectiveSense(stage.sense === "min" ? 1 : -1);
        model.changeColsCost({ kind: "range", from: 0, to: program.numCols - 1 }, cost);
        /* which of equal plans is taken is worth some seconds, and the plan is not less proved without it */
        const between = stage.id === "site_ranks";
        const left = Math.max((end - Date.now()) / 1000, 0.01);
        model.options.set("time_limit", (between ? Math.min(left, TIE_S) : left) + model.getRunTime());
        if (stage.turn < 0) closeFarther(model, program.pairs, cost, bounds);
        say(stage.id);
        const began = Date.now();
        model.run();
        let code = model.getModelStatus();
        const none = () => code === 8 || code === 9;
        if (none() && !stages.length) return { status: "infeasible", stages: [], sites: [] };
        /* a plan is in hand: what was kept of earlier stages was kept too tightly for the solver's arithmetic */
        for (let wider = 10; none() && wider <= 100; wider *= 10) {
          kept.forEach(({ row, least, most, room }) => model.changeRowBounds(row, least - room * wider, most + room * wider));
          model.run();
          code = model.getModelStatus();
        }
        if (code !== 7 && between) break;
        if (code !== 7) { status = stages.length ? "feasible" : "no_answer"; break; }
        const reached = model.getObjectiveValue();
        const x = model.getSolution().colValue;
        chosen = told.sites.filter((_, n) => x[n] > 0.5);
        const ours = (value) => (stage.turn < 0 ? (stage.constant - value) * stage.scale : (stage.constant + value) * stage.scale);
        const exact = stage.whole ? Math.round(reached) : reached;
        let bound = exact;
        try { bound = stage.whole ? Math.round(model.info.get("mip_dual_bound")) : model.info.get("mip_dual_bound"); } catch (error) { bound = exact; }
        stages.push({ id: stage.id, value: ours(exact), bound: ours(Number.isFinite(bound) ? bound : exact), proved: true, seconds: (Date.now() - began) / 1000 });
        const room = stage.whole ? 0.5 : 1e-9 * Math.max(1, Math.abs(reached));
        if (stage.at.length) {
          const entries = { indices: Int32Array.from(stage.at), values: Float64Array.from(stage.cost) };
          const [least, most] = stage.sense === "min" ? [-Infinity, exact] : [exact, Infinity];
          model.addRow(least - room, most + room, entries);
          /* whole numbers have half a unit of room as it is */
          if (!stage.whole) kept.push({ row: rows, least, most, room });
          rows += 1;
        }
      }
    } finally { model.dispose(); }
    return { status, stages, sites: chosen || [] };
  }

  let ready = null;
  self.onmessage = async ({ data }) => {
    try {
      if (!ready) {
        ready = (async () => {
          const bytes = await inflated(data.wasm, "gzip");
          const highs = await new Promise((resolve, reject) => {
            if (typeof WebAssembly === "undefined") throw new Error("unable");
            /* a browser that does not know that this policy allows it refuses to compile */
            const instantiateWasm = (imports, done) => { WebAssembly.instantiate(bytes, imports).then((made) => done(made.instance), () => reject(new Error("unable"))); };
            self.Module({ instantiateWasm }).then(resolve, reject);
          });
          return { highs, told: data.program, program: await read(data.program) };
        })();
      }
      const { highs, told, program } = await ready;
      const answer = solve(highs, program, told, data, (stage) => self.postMessage({ id: data.id, stage }));
      self.postMessage({ id: data.id, answer: { ...answer, solver: "HiGHS " + highs.version.string } });
    } catch (error) {
      self.postMessage({ id: data.id, failed: String((error && error.message) || error) });
    }
  };
})();
