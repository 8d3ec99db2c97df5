/* Gradient descent on a surface: the start, the step size, the conditioning and the momentum in the reader's hand. */
(function () {
  "use strict";
  const { h, s } = MX;
  const LAST = 2000, FIRST = 6, FAR = 1e6, FLAT = 2e-3;
  const NAMES = { sgd: ["2/(μ+L)", "2/L"], momentum: ["best", "limit"], nesterov: ["1/L", "limit"] };  // of marks on the slider
  const HINTS = {
    ravine: "Drag the start, or move it with the arrow keys: the gradient stands at a right angle to the level line everywhere. At κ = 1 it points straight away from the minimum; the larger κ, the more it points across the valley.",
    saddle: "Put the start on the line y = 0: there the gradient has no part along y, and the path ends at the saddle. A little beside it, the path leaves again.",
    minima: "The left minimum is the lower one. Start and step size decide which of the two a path finds.",
    valley: "The way down into the valley takes a few steps, the way along it hundreds. Momentum shortens it.",
    network: "(w₁, w₂) and (−w₁, −w₂) are the same network, so minima come in pairs. Between these two lies a saddle, at 0.",
  };

  MX.demo("descent", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    /** Run a program; its outputs by name, the first number of each. */
    const call = (name, ...args) => {
      const outputs = run[name](...args);
      return Object.fromEntries(run[name].names.map((key, i) => [key, outputs[i][0]]));
    };
    const state = { surface: "ravine", rule: "sgd", kappa: 10, eta: 1, beta: 0.9, steps: FIRST };
    const starts = Object.fromEntries(Object.entries(data.surfaces).map(([name, surface]) => [name, surface.start]));
    const shape = () => (state.surface === "ravine" ? [state.kappa] : []);
    /** The three rates that the buttons set, where they are not computed. */
    const steps = () => data.surfaces[state.surface].steps?.[state.rule === "sgd" ? 0 : 1];
    let target = LAST;

    /* ---- The path: computed as far as it is wanted, anew when a setting has changed ---- */
    let path = [], next = null, settings = "", drawn = "";

    function look(x, y) {
      return { x, y, ...call(`look.${state.surface}`, x, y, ...shape()) };
    }
    function walk() {
      const now = JSON.stringify([state.surface, state.rule, shape(), state.eta, state.beta, starts[state.surface]]);
      if (now !== settings) {
        settings = now;
        const zeros = data.programs[`move.${state.rule}`].in.length - 6;
        path = [];
        next = { at: starts[state.surface], memory: Array(zeros).fill(0) };
      }
      while (next && path.length <= state.steps) {
        const seen = look(...next.at);
        path.push(seen);
        const out = run[`move.${state.rule}`](seen.x, seen.y, ...next.memory, seen["gradient/0"], seen["gradient/1"], state.eta, state.beta).map(a => a[0]);
        seen.to = out.slice(-2);
        const good = seen.to.every(v => Math.abs(v) < FAR);
        next = good ? { at: seen.to, memory: out.slice(0, -2) } : null;
      }
      return path.slice(0, state.steps + 1);
    }
    const over = seen => seen.length <= state.steps || seen[seen.length - 1].slope < 1e-5 || state.steps >= LAST;

    /* ---- Controls ---- */
    /** η of a place of the slider: what was set exactly, if this is the place nearest to it. */
    const close = v => (Math.abs(v - Math.log10(state.eta)) <= 0.0026 ? state.eta : 10 ** v);
    const surface = MX.select("Surface", Object.entries(data.surfaces).map(([name, { title }]) => [name, title]), v => choose(v));
    const rule = MX.select("Method", Object.entries(data.rules), v => { state.rule = v; if (steps()) state.eta = steps()[1]; settle(); });
    const play = MX.button("Run", () => { loop.running ? loop.stop() : go(LAST, over(walk())); label(); }, "main");
    const one = MX.button("Step", () => { loop.stop(); state.steps++; refresh(); });
    const again = MX.button("Reset", () => { loop.stop(); state.steps = 0; refresh(); });
    const presets = ["Too small", "Right", "Too large"].map((text, k) => MX.button(text, () => preset(k), "tab"));
    const tabs = h("div", { class: "mx-tabs", role: "group", "aria-label": "Learning rate" }, presets);
    const eta = MX.slider("Learning rate η", { min: -2, max: 0.6, step: 0.005, value: 0, text: v => MX.short(close(v), 3), on: v => { state.eta = close(v); refresh(); } });
    const kappa = MX.slider("Condition κ", { min: 0, max: 2, step: 0.02, value: 1, text: v => MX.short(10 ** v, 3), on: v => { state.kappa = 10 ** v; refresh(); } });
    const beta = MX.slider("Momentum β", { min: 0, max: 0.99, step: 0.01, value: state.beta, text: v => MX.short(v, 2), on: v => { state.beta = v; refresh(); } });
    const mark = MX.marks(eta);

    /* ---- Display ---- */
    const map = MX.landscape({ columns: data.columns, rows: data.rows, name: "Map of the surface and the path", on: (x, y) => { starts[state.surface] = [x, y]; refresh(); } });
    const chart = s("svg", { class: "mx-plot", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const chartTitle = h("p", { class: "mx-land__title" }), mapTitle = h("p", { class: "mx-land__title" }), hint = h("p", { class: "mx-demo__note mx-land__hint" });
    const verdict = h("div", { class: "mx-verdict" }), voice = MX.voice();
    const numbers = Object.fromEntries(["step", "x", "y", "value", "slope", "least", "most", "factor", "digit", "best", "limit"].map(name => [name, MX.number()]));
    const fact = (term, ...shown) => h("div", {}, h("dt", {}, term), h("dd", {}, shown));
    const known = [fact("factor per step ρ", numbers.factor), fact("steps for a digit", numbers.digit), fact("best η", numbers.best), fact("limit of η", numbers.limit)];
    const list = h("dl", { class: "mx-facts mx-facts--many" },
      fact("step", numbers.step), fact("at", "(", numbers.x, ", ", numbers.y, ")"), fact("F", numbers.value),
      fact("length of ∇F", numbers.slope), fact("curvatures here", numbers.least, " to ", numbers.most), known);
    const chartKey = MX.key(["mx-key__line mx-color2", "path"], ["mx-key__line mx-key__line--dashed mx-color6", "ρᵏ"], ["mx-key__line mx-key__line--thin mx-color3", "bound"]);
    chartKey.children[2].append(" ", MX.ref("GD3"));
    const mapKey = MX.key(
      ["mx-key__line mx-color2", "path"], ["mx-key__open mx-color2", "next step"], ["mx-key__line mx-color5", "∇F, steepest ascent"], ["mx-key__line", "level line through the point"],
      ["mx-key__ring mx-ring1", "start"], ["mx-key__plus", "minimum"], ["mx-key__plus mx-key__plus--slanted", "saddle"]);
    root.append(
      h("div", { class: "mx-bar" }, surface.root, rule.root, play, one, again),
      h("div", { class: "mx-bar mx-land__bar" }, tabs, eta.root),
      h("div", { class: "mx-bar" }, kappa.root, beta.root),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, mapTitle, map.root, mapKey, hint),
        h("div", {}, verdict, chartTitle, frame, chartKey)),
      list, voice);

    function label() {
      play.textContent = loop.running ? "Pause" : "Run";
    }

    function go(steps, fresh) {
      if (fresh) state.steps = 0;
      target = steps;
      loop.start();
      label();
      refresh();
    }

    function choose(name) {
      state.surface = name;
      state.eta = name === "ravine" ? rates().best : steps()[1];
      state.steps = FIRST;
      settle();
    }

    /** Show the controls that this surface and this method have. */
    function settle() {
      loop.stop();
      label();
      surface.value = state.surface;
      rule.value = state.rule;
      kappa.root.hidden = state.surface !== "ravine";
      beta.root.hidden = state.rule === "sgd";
      known.forEach(e => (e.hidden = state.surface !== "ravine"));
      mapKey.lastChild.hidden = !data.surfaces[state.surface].saddles.length;
      hint.textContent = HINTS[state.surface];
      mapTitle.textContent = `F = ${data.surfaces[state.surface].formula}`;
      refresh();
    }

    const rates = (rate = state.eta, momentum = state.beta) => {
      const known = call(`rates.${state.rule}`, rate, momentum, state.kappa);
      return { ...known, best: known["best/0"], beta: known["best/1"] };
    };

    /** A step size that is too small, right, or too large. */
    function preset(k) {
      if (state.surface !== "ravine") Object.assign(state, { eta: steps()[k] }, state.rule === "sgd" ? {} : { beta: 0.9 });
      else if (k === 1) {
        const { best, beta: tuned } = rates();
        Object.assign(state, { eta: best }, state.rule === "sgd" ? {} : { beta: tuned });
      } else state.eta = k ? 1.08 * rates().limit : 0.06 * rates().best;
      loop.stop();
      go(state.surface === "ravine" || k !== 1 ? 40 : 120, true);
    }

    function refresh() {
      eta.value = Math.log10(state.eta);
      kappa.value = Math.log10(state.kappa);
      beta.value = state.beta;
      const seen = walk(), here = seen[seen.length - 1], facts = state.surface === "ravine" ? rates() : null;
      one.disabled = over(seen);
      again.disabled = state.steps === 0;
      numbers.step.textContent = String(seen.length - 1);
      numbers.step.dataset.value = seen.length - 1;
      for (const name of ["x", "y", "value", "slope", "least", "most"]) numbers[name].show(here[name], 3);
      if (facts) for (const name of ["factor", "digit", "best", "limit"]) numbers[name].show(facts[name], 3);
      if (facts && facts.factor >= 1) numbers.digit.textContent = "–";
      mark(facts ? [[Math.log10(facts.best), NAMES[state.rule][0]], [Math.log10(facts.limit), NAMES[state.rule][1]]]
        : here.most > 0 ? [[Math.log10(limitHere(here)), "limit here"]] : []);
      const [kind, title, text] = facts ? judgeQuadratic(facts) : judge(seen, here);
      verdict.className = `mx-verdict mx-verdict--${kind}`;
      verdict.replaceChildren(h("strong", {}, title), " ", text);
      drawMap(seen, here);
      drawChart(seen, facts);
      chart.setAttribute("aria-label", `${chartTitle.textContent}: ${MX.text(height(here))} after ${seen.length - 1} steps`);
      map.handle.setAttribute("aria-label", `Start at x = ${MX.short(starts[state.surface][0], 3)}, y = ${MX.short(starts[state.surface][1], 3)}; arrow keys move it`);
      if (!loop.running) voice.say(`${title} ${text} After ${seen.length - 1} steps F is ${MX.text(here.value)}.`);
    }

    /** The limit that the largest curvature at a point puts on the step: that of a quadratic with it. */
    const limitHere = here => run[`rates.${state.rule}`](state.eta * here.most, state.beta, 1)[run[`rates.${state.rule}`].names.indexOf("limit")][0] / here.most;

    /* ---- In words ---- */
    const percent = v => `${MX.short(100 * v, 3)}%`;
    function judgeQuadratic({ factor, digit, limit, best, beta: tuned }) {
      const name = state.rule === "sgd" ? "2/L" : "the limit", usual = state.rule === "nesterov" ? "usual" : "best";
      if (factor > 1.0005) return ["bad", "Diverges.", `A step multiplies the error by up to ${MX.text(factor)}: η is above ${name} = ${MX.text(limit)}.`];
      if (factor > 0.9995) return ["bad", "Does not converge.", `One part of the error keeps its size at every step: η is at ${name}.`];
      const ideal = call(`rates.${state.rule}`, best, tuned, state.kappa);
      const takes = `a step leaves ${percent(factor)} of the error in the long run, and a decimal digit takes ${MX.text(digit, 2)} steps.`;
      const other = `The ${usual} setting takes ${MX.text(ideal.digit, 2)}.`;
      if (factor < 1e-3) return ["good", "Arrives at once.", "All curvatures are equal: the gradient points at the minimum, and this step is exactly long enough."];
      if (digit < 1.6 * ideal.digit + 0.5) return ["good", "Converges:", `${takes} ${factor > ideal.factor + 2e-3 ? other : usual === "best" ? "No setting of this method does better." : ""}`];
      return state.eta > best ? ["slow", "Nearly too large:", `swings across the valley die slowly; ${takes} ${other}`] : ["slow", "Too small:", `${takes} ${other}`];
    }

    function judge(seen, here) {
      const before = seen[seen.length - 2];
      if (seen.length <= state.steps) return ["bad", "Diverged.", `The point left every bound after ${seen.length - 1} steps.`];
      if (!map.inside(here.x, here.y)) return ["bad", "Off the map.", `A step was so long that the path is now at F = ${MX.text(here.value)}.`];
      if (here.slope < FLAT && here.least < -1e-3) return ["slow", "At a saddle.", `The gradient nearly vanishes, and still this is no minimum: the curvature is ${MX.text(here.least)} in one direction.`];
      if (here.slope < FLAT && here.above > 1e-2) return ["slow", "In a minimum, not the lowest.", `F is ${MX.text(here.above)} higher than at the other one, and no gradient tells of it.`];
      if (here.slope < FLAT && here.above < 1e-4) return ["good", "Arrived.", `The gradient has length ${MX.text(here.slope)}, and both curvatures are positive: a minimum.`];
      if (before && here.above > 1.02 * before.above + 1e-5) {
        const rise = `The last step raised F from ${MX.text(before.value)} to ${MX.text(here.value)}`;
        return state.rule === "sgd" ? ["bad", "Uphill.", `${rise}: it went too far across.`] : ["good", "Uphill for a moment.", `${rise}. What momentum carries up, it brings down again, if the rate is not too large.`];
      }
      if (here.most > 0 && state.eta > limitHere(here)) return ["slow", "Too large for this place.", `At the largest curvature here, ${MX.text(here.most)}, a step must stay below ${MX.text(limitHere(here))} to keep calm.`];
      if (state.eta < 0.25 * steps()[1]) return ["slow", "Small steps.", `F falls at every step, and it takes many: F is ${MX.text(here.above)} above the lowest value.`];
      return ["good", "On the way down.", `F is ${MX.text(here.above)} above the lowest value; the gradient has length ${MX.text(here.slope)}.`];
    }

    /* ---- Pictures ---- */
    function drawMap(seen, here) {
      const place = data.surfaces[state.surface], { X, Y } = map, start = starts[state.surface];
      const key = JSON.stringify([state.surface, shape()]);
      if (key !== drawn) {
        drawn = key;
        map.show(run[`map.${state.surface}`](...map.lattice(place), ...shape())[0], place.lowest);
      }
      map.point = start;
      const xs = seen.map(p => p.x), ys = seen.map(p => p.y), d = map.path(xs, ys), inside = map.inside(here.x, here.y);
      const dots = seen.slice(0, 400).filter(p => map.inside(p.x, p.y));
      const ahead = next || seen.length > state.steps ? here.to : null;
      map.above.replaceChildren(
        ...map.marks(place),
        s("path", { class: "mx-land__level", d: inside ? map.level(here.value) : "" }),
        s("path", { class: "mx-land__halo", d }), s("path", { class: "mx-land__path mx-stroke2", d }),
        ...dots.map(p => s("circle", { class: "mx-land__dot mx-fill2", cx: X(p.x), cy: Y(p.y), r: dots.length > 100 ? 2 : 3 })),
        ...(ahead && inside ? [s("path", { class: "mx-land__ahead mx-stroke2", d: map.path([here.x, ahead[0]], [here.y, ahead[1]]) }),
          s("circle", { class: "mx-land__ahead mx-stroke2", cx: X(ahead[0]).toFixed(1), cy: Y(ahead[1]).toFixed(1), r: 4.5 })] : []),
        ...(inside ? [...arrow(here), s("circle", { class: "mx-dot mx-fill2", cx: X(here.x), cy: Y(here.y), r: 6 })] : [away(here)]));
    }

    /** The gradient where the point is, and the right angle between it and the level line. */
    function arrow(here) {
      const [gx, gy] = [here["gradient/0"], -here["gradient/1"]], size = here.slope;
      if (!(size > 1e-4)) return [];
      const length = Math.max(26, Math.min(0.22 * map.width, 58 * Math.sqrt(size)));
      const [ux, uy] = [gx / size, gy / size], [x, y] = [map.X(here.x), map.Y(here.y)], at = (a, b) => `${(x + a * ux - b * uy).toFixed(1)},${(y + a * uy + b * ux).toFixed(1)}`;
      return [
        s("path", { class: "mx-land__tangent", d: `M${at(0, -22)}L${at(0, 22)}` }),
        s("path", { class: "mx-land__square", d: `M${at(9, 0)}L${at(9, 9)}L${at(0, 9)}` }),
        s("path", { class: "mx-land__halo", d: `M${at(0, 0)}L${at(length, 0)}` }),
        s("path", { class: "mx-land__arrow", d: `M${at(0, 0)}L${at(length - 6, 0)}` }),
        s("path", { class: "mx-land__head", d: `M${at(length, 0)}L${at(length - 10, -5)}L${at(length - 10, 5)}Z` }),
      ];
    }

    /** A sign at the edge of the map for a point beyond it. */
    function away(here) {
      const [dx, dy] = [map.X(here.x) - map.width / 2, map.Y(here.y) - map.height / 2];
      const part = Math.min((map.width / 2 - 16) / Math.abs(dx || 1e-9), (map.height / 2 - 16) / Math.abs(dy || 1e-9));
      const angle = (Math.atan2(dy, dx) * 180) / Math.PI;
      return s("path", { class: "mx-land__away", d: "M10,0L-6,-8L-2,0L-6,8Z", transform: `translate(${map.width / 2 + part * dx},${map.height / 2 + part * dy}) rotate(${angle})` });
    }

    const height = p => (state.surface === "ravine" ? p.distance : p.above);
    function drawChart(seen, known) {
      const width = frame.clientWidth;
      if (!width) return;
      const ys = seen.map(p => Math.max(0, height(p))).map(v => (v > 0 ? v : NaN)), proper = ys.filter(v => v > 0);
      const high = Math.max(1, Math.min(6, Math.ceil(Math.log10(Math.max(...proper))))), low = Math.min(...proper) < 1e-4 ? -7 : -4;
      const last = [30, 60, 120, 250, 500, 1000, LAST].find(n => n >= seen.length - 1), apart = high - low > 6 ? 2 : 1;
      const decades = Array.from({ length: high - low + 1 }, (_, k) => low + k).filter(k => (k - low) % apart === 0);
      const { X, Y, inside } = MX.axes(chart, {
        width, height: Math.min(230, Math.max(170, 0.6 * width)), left: 38,
        x: { from: 0, to: last, ticks: [0, last / 2, last], label: "step" },
        y: { from: 10 ** low, to: 10 ** high, log: true, ticks: decades.map(k => 10 ** k), text: v => MX.power(Math.round(Math.log10(v))) },
      });
      chartTitle.textContent = known ? "Distance to the minimum" : "F minus its lowest value";
      chartKey.hidden = !known;
      if (known) {
        const lines = [["trend", known.factor, [], "mx-dashed mx-stroke6"]];
        const proved = state.rule === "sgd" && state.eta <= known.best * (1 + 1e-6);
        if (proved) lines.unshift(["bound", state.eta, [state.kappa], "mx-stroke3"]);
        chartKey.children[2].hidden = !proved;
        for (const [name, value, extra, kind] of lines) {
          const out = run[name](height(seen[0]), value, ...extra, Float32Array.from(data.line))[0];
          inside.append(s("path", { class: `mx-curve mx-curve--thin ${kind}`, d: MX.curve(data.line, Array.from(out, v => (v > 1e-30 && v < 1e30 ? v : NaN)), X, Y) }));
        }
      }
      inside.append(s("path", { class: "mx-curve mx-stroke2", d: MX.curve(seen.map((_, k) => k), ys, X, Y) }));
      if (ys.length < 70) inside.append(...ys.map((v, k) => (v > 0 ? s("circle", { class: "mx-fill2", cx: X(k), cy: Y(v), r: 2.4 }) : "")));
    }

    let frames = 0;
    const loop = MX.loop(root, calm => {
      if (!calm && ++frames % (state.steps < 40 ? 5 : 2)) return true;
      state.steps += calm ? 5 : Math.max(1, Math.round(state.steps / 40));
      const seen = walk(), lost = target < LAST && !map.inside(seen[seen.length - 1].x / 3, seen[seen.length - 1].y / 3), done = over(seen) || lost || state.steps >= target;
      state.steps = Math.min(seen.length <= state.steps ? seen.length : state.steps, LAST);
      if (done) loop.stop();
      label();
      refresh();
      return !done;
    });

    state.eta = rates().best;
    settle();
    MX.redraw(map.root, () => { map.draw(); refresh(); });

    /** Every case that JAX computed: what the page shows at its marks, and of its factor, best step and limit. */
    mount.check = () => {
      const before = { ...state }, placed = { ...starts }, pairs = {};
      for (const { marks, rates: wanted, ...of } of data.references) {
        Object.assign(state, { surface: of.surface, rule: of.rule, eta: of.rate, beta: of.momentum, kappa: of.condition });
        starts[state.surface] = data.surfaces[state.surface].start;
        const name = `${of.surface}, ${of.rule}, η ${of.rate}, β ${of.momentum}, κ ${of.condition}`;
        marks.forEach((row, k) => {
          state.steps = data.marks[k];
          refresh();
          data.shown.forEach((key, i) => { if (Math.abs(row[i]) > 1e-5) pairs[`${name}, step ${data.marks[k]}: ${key}`] = [numbers[key].value(), row[i]]; });
        });
        for (const [key, value] of Object.entries(wanted)) if (key !== "best" && value !== null) pairs[`${name}: ${key}`] = [numbers[key].value(), value];
        if (wanted.best) pairs[`${name}: best`] = [numbers.best.value(), wanted.best[0]];
      }
      Object.assign(state, before);
      Object.assign(starts, placed);
      settle();
      return pairs;
    };
  });
})();
