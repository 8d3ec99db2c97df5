/* Five optimizers on one surface, from one start, each at its own rate. */
(function () {
  "use strict";
  const { h, s } = MX;
  const DASHES = ["none", "7 3.5", "1.5 3", "9 3 2 3", "4 2"], FIRST = 60;
  const HINTS = {
    ravine: "Turn the ravine and keep the rates. Gradient descent, heavy ball and Nesterov take the same steps, turned with it. RMSProp and Adam scale each coordinate by itself, so for them it matters how the axes lie. Then tune anew.",
    valley: "Down into the valley is quick; along its curved bottom the gradient is small, and momentum pays.",
    saddle: "The start is a hundredth beside the line that leads into the saddle. Where gradients are tiny, RMSProp and Adam still take full steps.",
  };
  /** The mark of a racer: circle, square, triangle, diamond, cross. */
  const mark = (k, x, y, r) => [
    `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`,
    `M${x - 0.9 * r},${y - 0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}Z`,
    `M${x},${y - 1.2 * r}L${x + 1.15 * r},${y + 0.85 * r}H${x - 1.15 * r}Z`,
    `M${x},${y - 1.3 * r}L${x + 1.3 * r},${y}L${x},${y + 1.3 * r}L${x - 1.3 * r},${y}Z`,
    [[1, 0, 1], [0, 1, 1], [-1, 0, -1], [0, -1, -1]].reduce((d, _, q) => {
      const [c, n] = [[1, 0, -1, 0][q], [0, 1, 0, -1][q]], at = (a, b) => `${(x + r * (a * c - b * n)).toFixed(2)},${(y + r * (a * n + b * c)).toFixed(2)}`;
      return `${d}${q ? "L" : "M"}${at(0.5, 0)}L${at(1.15, 0.65)}L${at(0.65, 1.15)}`;
    }, "") + "Z",
  ][k];

  MX.demo("race", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const rules = Object.keys(data.rules), noise = MX.decode(data.noise[0]);
    const state = { surface: "ravine", turn: 0, noisy: false, scale: 0, steps: FIRST, rates: {}, start: [0, 0], shown: Object.fromEntries(rules.map(r => [r, true])) };
    const angle = () => (state.surface === "ravine" ? data.angles[state.turn] : 0);
    let fresh = true, drawn = "";

    /* ---- The race: computed as far as it is wanted, anew when a setting has changed ---- */
    let racers = {}, settings = "";
    function advance() {
      const now = JSON.stringify([state.surface, angle(), state.noisy, state.start, rules.map(rate)]);
      if (now !== settings) {
        settings = now;
        racers = Object.fromEntries(rules.map(rule => [rule, { at: state.start, memory: Array(data.programs[`move.${rule}`].in.length - 5).fill(0), path: [] }]));
      }
      for (const rule of rules) for (const racer = racers[rule]; racer.at && racer.path.length <= state.steps;) step(rule, racer);
    }
    function step(rule, racer) {
      const k = racer.path.length, e = state.noisy ? noise.subarray(2 * k, 2 * k + 2) : [0, 0];
      const [above, gx, gy] = run[`look.${state.surface}`](...racer.at, angle(), ...e).map(a => a[0]);
      racer.path.push({ x: racer.at[0], y: racer.at[1], above });
      const out = run[`move.${rule}`](...racer.at, ...racer.memory, gx, gy, rate(rule)).map(a => a[0]), to = out.slice(-2);
      racer.memory = out.slice(0, -2);
      racer.at = to.every(v => Math.abs(v) < 1e6) ? to : null;
    }
    const rate = rule => state.rates[rule] * 2 ** state.scale;
    const paths = () => rules.map(rule => racers[rule].path.slice(0, state.steps + 1));
    const tuned = rule => data.rates[state.surface][rule][state.surface === "ravine" ? state.turn : 0][+state.noisy];
    const tune = () => { for (const rule of rules) state.rates[rule] = tuned(rule); };

    /* ---- Controls ---- */
    const surface = MX.select("Course", Object.entries(data.surfaces).map(([name, { title }]) => [name, title]), choose);
    const play = MX.button("Race", () => { loop.running ? loop.stop() : go(); label(); }, "main");
    const one = MX.button("Step", () => { loop.stop(); label(); state.steps++; fresh = false; refresh(); });
    const again = MX.button("Reset", () => { loop.stop(); label(); state.steps = 0; fresh = false; refresh(); });
    const turn = MX.slider("Turned by", { min: 0, max: data.angles.length - 1, step: 1, value: 0, text: k => `${data.angles[k]}°`, on: k => { state.turn = k; state.start = data.starts.ravine[k]; refresh(); } });
    const scale = MX.slider("All rates", { min: -2, max: 2, step: 0.125, value: 0, text: v => `× ${MX.short(2 ** v, 2)}`, on: v => { state.scale = v; refresh(); } });
    const anew = MX.button("Tune anew", () => { tune(); state.scale = 0; refresh(); });
    const noisy = h("input", { type: "checkbox", id: "mx-race-noise", onchange: () => { state.noisy = noisy.checked; settle(); } });
    const noisyField = h("div", { class: "mx-field" }, noisy, h("label", { for: noisy.id }, "Noisy gradients"));

    /* ---- Display ---- */
    const map = MX.landscape({ columns: data.columns, rows: data.rows, name: "Map of the course and the paths", hue: "--c6", strength: 0.3, on: (x, y) => { state.start = [x, y]; refresh(); } });
    const mapTitle = h("p", { class: "mx-land__title" }), chartTitle = h("p", { class: "mx-land__title" }, "Height above the lowest point");
    const chart = s("svg", { class: "mx-plot", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const hint = h("p", { class: "mx-demo__note mx-land__hint" }), voice = MX.voice();
    const rows = rules.map((rule, k) => {
      const id = `${noisy.id}-${rule}`, box = h("input", { type: "checkbox", id, checked: true, onchange: () => { state.shown[rule] = box.checked; refresh(); } });
      const swatch = s("svg", { class: "mx-race__swatch", viewBox: "0 0 30 14", "aria-hidden": "true" },
        s("path", { class: `mx-land__path mx-stroke${k + 1}`, d: "M0,7H30", "stroke-dasharray": DASHES[k] }), s("path", { class: `mx-race__mark mx-fill${k + 1}`, d: mark(k, 15, 7, 4.6) }));
      const cells = { rate: MX.number(), above: MX.number(), goal: MX.number(), place: h("td", { class: "mx-race__place" }) };
      const row = h("tr", {}, h("th", { scope: "row" }, h("span", { class: "mx-race__name" }, box, swatch, h("label", { for: id }, data.rules[rule]))), h("td", {}, cells.rate), h("td", {}, cells.above), h("td", {}, cells.goal), cells.place);
      return { row, box, ...cells };
    });
    const table = h("table", { class: "mx-table mx-race" },
      h("caption", {}, `Tuned rates are the best of ${data.tried} on the course as it lies, from the start that is first shown.`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Optimizer"), ["rate η", "height", "steps to goal", "place"].map(t => h("th", { scope: "col", class: t === "place" ? "mx-race__place" : "" }, t)))), h("tbody", {}, rows.map(r => r.row)));
    const mapKey = MX.key(["mx-key__ring mx-ring1", "start"], ["mx-key__plus", "minimum"], ["mx-key__plus mx-key__plus--slanted", "saddle"]);
    root.append(
      h("div", { class: "mx-bar" }, surface.root, play, one, again, noisyField),
      h("div", { class: "mx-bar" }, turn.root, scale.root, anew),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, mapTitle, map.root, mapKey),
        h("div", {}, chartTitle, frame, h("p", { class: "mx-key" }, h("span", {}, h("span", { class: "mx-key__line mx-key__line--dashed mx-color6" }), "goal: a thousandth of the start")))),
      hint, table, voice);

    function label() {
      play.textContent = loop.running ? "Pause" : fresh || state.steps >= data.steps ? "Race" : state.steps ? "Go on" : "Race";
    }
    function go() {
      if (fresh || state.steps >= data.steps) state.steps = 0;
      fresh = false;
      loop.start();
    }
    function choose(name) {
      loop.stop();
      Object.assign(state, { surface: name, scale: 0, start: data.starts[name][name === "ravine" ? state.turn : 0], steps: name === "ravine" ? FIRST : 80 });
      fresh = true;
      tune();
      settle();
    }
    function settle() {
      surface.value = state.surface;
      turn.root.hidden = state.surface !== "ravine";
      mapKey.lastChild.hidden = !data.surfaces[state.surface].saddles.length;
      hint.textContent = HINTS[state.surface] + (state.noisy ? " All get the same noise in their gradients. At a constant rate none comes to rest: tune anew, or make all rates smaller." : "");
      mapTitle.textContent = `F = ${data.surfaces[state.surface].formula}`;
      label();
      refresh();
    }

    function refresh() {
      advance();
      turn.value = state.turn;
      scale.value = state.scale;
      noisy.checked = state.noisy;
      one.disabled = state.steps >= data.steps;
      again.disabled = state.steps === 0;
      anew.disabled = state.scale === 0 && rules.every(rule => rate(rule) === tuned(rule));
      const all = paths(), line = run.goal(all[0][0].above)[0][0];
      const last = all.map(path => (path.length <= state.steps ? Infinity : path[path.length - 1].above)), won = all.map(path => path.findIndex(p => p.above <= line));
      const order = rules.map((_, k) => k).sort((a, b) => (won[a] < 0) - (won[b] < 0) || (won[a] < 0 ? last[a] - last[b] : won[a] - won[b]));
      rows.forEach((row, k) => {
        row.rate.show(rate(rules[k]), 3);
        row.above.show(last[k], 3);
        row.goal.textContent = won[k] < 0 ? "–" : String(won[k]);
        row.goal.dataset.value = won[k];
        row.goal.classList.toggle("mx-right", won[k] >= 0);
        row.place.textContent = Number.isFinite(last[k]) ? `${order.indexOf(k) + 1}.` : "lost";
        row.row.classList.toggle("mx-race__first", k === order[0]);
        row.row.classList.toggle("mx-race__off", !state.shown[rules[k]]);
      });
      drawMap(all);
      drawChart(all, line);
      const [first] = order, text = `After ${state.steps} steps ${data.rules[rules[first]]} leads${won[first] < 0 ? "" : `; it reached the goal at step ${won[first]}`}. Its height is ${MX.text(last[first])}.`;
      chart.setAttribute("aria-label", `Height above the lowest point against step, logarithmic. ${text}`);
      map.handle.setAttribute("aria-label", `Start at x = ${MX.short(state.start[0], 3)}, y = ${MX.short(state.start[1], 3)}; arrow keys move it`);
      if (!loop.running) voice.say(text);
    }

    function drawMap(all) {
      const place = data.surfaces[state.surface], { X, Y } = map, key = JSON.stringify([state.surface, angle()]);
      if (key !== drawn) {
        drawn = key;
        map.show(run[`map.${state.surface}`](...map.lattice(place), angle())[0], place.lowest);
      }
      map.point = state.start;
      const shown = rules.map((rule, k) => k).filter(k => state.shown[rules[k]]), ends = shown.map(k => all[k][all[k].length - 1]);
      const lines = shown.map(k => map.path(all[k].map(p => p.x), all[k].map(p => p.y)));
      map.above.replaceChildren(
        ...map.marks(place),
        ...lines.map(d => s("path", { class: "mx-land__halo", d })),
        ...shown.map((k, i) => s("path", { class: `mx-land__path mx-stroke${k + 1}`, d: lines[i], "stroke-dasharray": DASHES[k] })),
        ...shown.map((k, i) => (map.inside(ends[i].x, ends[i].y) ? s("path", { class: `mx-race__mark mx-fill${k + 1}`, d: mark(k, X(ends[i].x), Y(ends[i].y), 6) }) : "")));
    }

    function drawChart(all, line) {
      const width = frame.clientWidth;
      if (!width) return;
      const last = [50, 100, 200, data.steps].find(n => n >= state.steps), low = state.noisy ? -4 : -7;
      const { X, Y, inside } = MX.axes(chart, {
        width, height: Math.min(270, Math.max(190, 0.75 * width)), left: 36,
        x: { from: 0, to: 1.03 * last, ticks: [0, last / 2, last], label: "step" },
        y: { from: 10 ** low, to: 10, log: true, ticks: [1, -1, -3, -5, -7].filter(k => k >= low).map(k => 10 ** k), text: v => MX.power(Math.round(Math.log10(v))) },
      });
      inside.append(s("path", { class: "mx-curve mx-curve--thin mx-dashed mx-stroke6", d: `M${X(0)},${Y(line)}H${X(1.03 * last)}` }));
      all.forEach((path, k) => {
        if (!state.shown[rules[k]]) return;
        const ys = path.map(p => (p.above > 10 ** (low - 1) && p.above < 1e3 ? p.above : NaN)), end = ys.length - 1;
        inside.append(s("path", { class: `mx-curve mx-stroke${k + 1}`, d: MX.curve(ys.map((_, i) => i), ys, X, Y), "stroke-dasharray": DASHES[k] }));
        if (Number.isFinite(ys[end])) inside.append(s("path", { class: `mx-race__mark mx-fill${k + 1}`, d: mark(k, X(end), Y(ys[end]), 4.6) }));
      });
    }

    let frames = 0;
    const loop = MX.loop(root, calm => {
      if (!calm && ++frames % (state.steps < 60 ? 4 : 2)) return true;
      state.steps = Math.min(data.steps, state.steps + (calm ? 10 : 1));
      const done = state.steps >= data.steps;
      if (done) loop.stop();
      label();
      refresh();
      return !done;
    });

    choose("ravine");
    MX.redraw(map.root, () => { map.draw(); refresh(); });

    /** Every course at its tuned rates: heights that the page shows, and positions that it draws, at the marks. */
    mount.check = () => {
      const before = JSON.stringify(state), pairs = {};
      for (const [name, table] of Object.entries(data.references)) {
        data.starts[name].forEach((start, course) => [false, true].forEach(windy => {
          Object.assign(state, { surface: name, turn: name === "ravine" ? course : 0, noisy: windy, scale: 0, start });
          tune();
          data.marks.forEach((step, m) => {
            state.steps = step;
            refresh();
            rules.forEach((rule, k) => {
              const [x, y, above] = table[rule][course][+windy][m], here = racers[rule].path[step] || {};
              const at = `${name} ${data.angles[state.turn]}°, ${rule}${windy ? ", noisy" : ""}, step ${step}`, size = 2 * Math.hypot(x, y);  // a coordinate may be 0: its error is taken relative to the distance
              if (above > 1e-3) pairs[`${at}: height`] = [rows[k].above.value(), above];  // below that it is a difference of rounded numbers
              pairs[`${at}: x`] = [here.x + size, x + size];
              pairs[`${at}: y`] = [here.y + size, y + size];
            });
          });
        }));
      }
      Object.assign(state, JSON.parse(before));
      settle();
      return pairs;
    };
  });
})();
