/* One neuron among mushrooms: the perceptron rule or the logistic neuron, example by example, on points that can be moved. */
(function () {
  "use strict";
  const { h, s } = MX;
  const SPAN = { x: [-0.15, 3.15], y: [0, 2.1] }, GRID = 10;  // the plane, and points per unit: one spot, one centimeter
  const LAST = { threshold: 960, logistic: 960 }, KEPT = 3;
  const FRAMES = { slow: 30, medium: 8, fast: 1 };  // between two examples
  const RATES = { 0.0625: "1/16", 0.25: "1/4" };
  const KIND = ["safe", "poisonous"];
  const clamp = (v, [a, b]) => Math.min(b, Math.max(a, v));

  MX.demo("perceptron", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => {
      const compiled = MX.compile(program);
      return [name, (...args) => Object.fromEntries(compiled(...args).map((out, i) => [program.names[i], out]))];
    }));
    const N = data.y.length, y = Float32Array.from(data.y), uniform = new Float32Array(N).fill(1 / N);
    const corners = Float32Array.from([0, 1, 2, 3].flatMap(k => [SPAN.x[k === 1 || k === 2 ? 1 : 0], SPAN.y[k > 1 ? 1 : 0]]));
    const state = { kind: "threshold", rate: data.rates.indexOf(1), speed: "medium" };
    let x, w, b, seen, mistakes, pure, last, ghost, trace, earlier = [], promise, waited = 0;

    const rate = () => data.rates[state.rate];
    const rateText = v => RATES[v] || String(v);
    const example = i => [x.subarray(2 * i, 2 * i + 2), y[i]];
    const survey = () => run.survey(w, b, x, y);

    /** A new start at zero, on the points as they are; the run so far stays in the chart. */
    function reset() {
      loop.stop();
      if (trace && trace.at.length > 1 && !trace.moved) earlier = [trace, ...earlier.filter(t => t.label !== trace.label)].slice(0, KEPT);
      w = Float32Array.of(0, 0);
      b = Float32Array.of(0);
      seen = mistakes = 0;
      pure = true;
      last = ghost = null;
      trace = { label: `η = ${rateText(rate())}`, at: [0], value: [measure()], moved: false };
      setBias();
      draw();
    }

    const measure = () => (state.kind === "threshold" ? mistakes : survey().loss[0]);

    /** The largest margin of the points, and with it the bound. */
    function promised() {
      let weights = uniform;
      for (let i = 0; i < data.steps; i++) weights = run.closer(weights, x, y).weights.slice();
      promise = Object.fromEntries(Object.entries(run.bound(weights, x, y)).map(([name, out]) => [name, out[0]]));
    }

    /** One example. */
    function learn() {
      const i = seen % N, [point, target] = example(i);
      const out = run[state.kind](w, b, point, target, rate());
      const wrong = run.survey(w, b, x, y).answer[i] !== target;
      last = {
        i, x: Array.from(point), y: target, w: Array.from(w), b: b[0], rate: rate(), kind: state.kind, wrong,
        z: out.z[0], answer: out.answer[0], error: out.error[0], dw: Array.from(out["change/w"]), db: out["change/b"][0],
      };
      if (last.error !== 0) ghost = run.corners(w, b, corners, y.subarray(0, 4)).z.slice();
      w = out["params/w"].slice();
      b = out["params/b"].slice();
      seen++;
      if (wrong) mistakes++;
      trace.at.push(seen);
      trace.value.push(measure());
    }

    /** Whether a whole round has passed without a change: the rule has come to rest. */
    const done = () => seen >= LAST[state.kind] || (state.kind === "threshold" && seen >= N && trace.value[seen - N] === mistakes && trace.value.length > seen);
    const all = () => survey().wrong[0] === 0;

    /** What the reader changes by hand voids the promise that holds from zero. */
    function byHand() {
      loop.stop();
      pure = seen === 0 && w[0] === 0 && w[1] === 0 && b[0] === 0;
      if (seen) trace.moved = true;
      last = ghost = null;
    }

    function move(i, to) {
      const snapped = [clamp(to[0], [0, 3]), clamp(to[1], [0.1, 2])].map(v => Math.fround(Math.round(v * GRID) / GRID));
      if (snapped[0] === x[2 * i] && snapped[1] === x[2 * i + 1]) return;
      x[2 * i] = snapped[0];
      x[2 * i + 1] = snapped[1];
      earlier = [];
      byHand();
      if (!seen) trace = { ...trace, at: [0], value: [measure()] };
      promised();
      draw();
    }

    /* Controls */
    const play = MX.button("Run", () => { loop.running ? loop.stop() : loop.start(); label(); draw(); }, "main");
    const one = MX.button("Next example", () => { loop.stop(); learn(); draw(); });
    const next = MX.button("Next mistake", () => {
      loop.stop();
      const before = mistakes;
      do learn(); while (mistakes === before && !done());
      draw();
    });
    const again = MX.button("Reset", () => reset());
    const kind = MX.select("Neuron", ["threshold", "logistic"], v => { state.kind = v; earlier = []; trace = null; reset(); });
    const speed = MX.select("Speed", Object.keys(FRAMES), v => { state.speed = v; });
    speed.value = state.speed;
    const pace = MX.slider("Learning rate η", {
      min: 0, max: data.rates.length - 1, step: 1, value: state.rate, text: i => rateText(data.rates[i]),
      on: i => {
        if (seen === 0) { state.rate = i; reset(); return; }
        reset();
        state.rate = i;
        trace.label = `η = ${rateText(rate())}`;
        setBias();
        draw();
      },
    });
    const bias = MX.slider("Bias b", {
      min: -64, max: 64, step: 1, value: 0, text: () => MX.short(b ? b[0] : 0, 3),
      on: v => { byHand(); b = Float32Array.of(v * unit); draw(); },
    });
    const original = MX.button("Points back", () => {
      loop.stop();
      x = Float32Array.from(data.x.flat());
      trace = null; earlier = [];
      promised();
      reset();
    });
    let unit = 1;
    function setBias() {
      const reach = Math.max(8 * rate(), 1.25 * Math.abs(b[0]), state.kind === "logistic" ? 8 : 0);
      unit = Math.pow(2, Math.ceil(Math.log2(reach))) / 64;
      bias.value = Math.round(b[0] / unit);
    }

    /* Display */
    const plane = s("svg", { class: "mx-plot mx-mushrooms", role: "group", "aria-label": "Mushrooms in the plane of spots and stem length" });
    const frame = h("div", { class: "mx-frame" }, plane);
    const chart = s("svg", { class: "mx-plot", role: "img" }), chartFrame = h("div", { class: "mx-frame" }, chart);
    const step = h("div", { class: "mx-step mx-is-fore mx-neuron" });
    const right = MX.number(), count = MX.number({ class: "mx-number mx-forward" }), limit = MX.number(), epoch = MX.number(), loss = MX.number();
    const ws = [MX.number(), MX.number()], bs = MX.number();
    const chartTitle = h("p", { class: "mx-heading mx-neuron__title" }), chartNote = h("p", { class: "mx-key" }), lossRow = [h("dt", {}, "mean loss"), h("dd", {}, loss)];
    const limitRow = [h("dt", {}, "bound (R/γ)²"), h("dd", {}, limit)];
    const voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, play, one, next, again, kind.root, speed.root),
      h("div", { class: "mx-bar" }, pace.root, bias.root, original),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, frame, MX.key(
          ["mx-key__dot mx-key__dot--round mx-back5", "poisonous, y = 1"], ["mx-key__dot mx-neuron__safe", "safe, y = 0"],
          ["mx-key__shade mx-neuron__shade", "the neuron says 1"], ["mx-key__line mx-key__line--dashed mx-color6", "before the last change"])),
        h("div", {}, step, h("dl", { class: "mx-facts mx-neuron__facts" },
          h("dt", {}, "w"), h("dd", {}, "(", ws[0], ", ", ws[1], ")"),
          h("dt", {}, "b"), h("dd", {}, bs),
          h("dt", {}, "examples seen"), h("dd", {}, epoch),
          h("dt", {}, "right now"), h("dd", {}, right, ` of ${N}`),
          h("dt", {}, "mistakes so far"), h("dd", {}, count),
          ...limitRow, ...lossRow))),
      chartTitle, chartFrame, chartNote,
      voice);

    function label() {
      play.textContent = loop.running ? "Pause" : "Run";
      play.disabled = one.disabled = next.disabled = done();
    }

    function draw() {
      if (!x) return;
      const now = survey();
      ws.forEach((place, k) => { place.show(w[k]).textContent = short(w[k]); });
      bs.show(b[0]).textContent = short(b[0]);
      right.show(N - now.wrong[0]).textContent = String(N - now.wrong[0]);
      count.show(mistakes).textContent = String(mistakes);
      epoch.dataset.value = seen;
      epoch.textContent = `${seen}${seen >= N ? ` (${Math.floor(seen / N)} ${seen < 2 * N ? "epoch" : "epochs"}${done() && all() ? ", at rest" : ""})` : ""}`;
      showLimit();
      loss.show(now.loss[0]);
      lossRow.forEach(e => (e.hidden = state.kind === "threshold"));
      limitRow.forEach(e => (e.hidden = state.kind === "logistic"));
      showStep(now);
      drawPlane(now);
      drawChart();
      label();
      bias.value = Math.round(b[0] / unit);
      if (!loop.running) {
        voice.say(`After ${seen} examples and ${mistakes} mistakes, ${N - now.wrong[0]} of ${N} mushrooms are on the right side.`);
      }
    }

    function showLimit() {
      const finite = Number.isFinite(promise.bound);
      if (finite && pure) { limit.show(promise.bound, 3); return; }
      limit.textContent = finite ? "for a start from zero only: reset" : "none: no line separates these";
      delete limit.dataset.value;
    }

    /* The equation with its numbers */
    const short = (v, digits = 4) => (Math.abs(v) < 1e-5 * rate() ? "0" : MX.short(v, digits));  // tenths are rounded: 0 may be 3·10⁻⁸
    const value = (v, digits) => {
      const place = MX.number();
      place.show(v).textContent = short(v, digits);
      return place;
    };
    const factor = v => (v < 0 ? ["(", value(v), ")"] : [value(v)]);
    const line = (...parts) => h("div", { class: "mx-step__line" }, parts.flat(3).map(p => (typeof p === "string" ? h("span", { class: "mx-operator" }, p) : p)));
    const vector = (name, below) => MX.letter(name, below);

    function showStep(now) {
      step.className = "mx-step mx-neuron " + (!last || last.error === 0 ? "mx-is-fore" : "mx-is-back");
      if (!last) {
        const zero = w[0] === 0 && w[1] === 0;
        step.replaceChildren(
          h("div", { class: "mx-step__head" }, h("strong", {}, zero && b[0] === 0 ? "Start" : "Moved by hand")),
          h("p", { class: "mx-neuron__text" }, zero
            ? `w = 0: there is no line, and z = b for every mushroom. The neuron says ${now.answer[0]} to all of them.`
            : "The line is where wᵀx + b = 0. The bias moves it along w without turning it: the neuron says 1 where wᵀx reaches −b."));
        return;
      }
      const smooth = last.kind === "logistic";
      step.replaceChildren(
        h("div", { class: "mx-step__head" },
          h("span", { class: "mx-step__tag" }, MX.ref(smooth ? "NEU9" : "NEU5")),
          h("strong", {}, `Mushroom ${last.i + 1}, ${KIND[last.y]}: `, smooth ? `ŷ = ${MX.text(last.answer, 2)}` : last.error === 0 ? "right" : last.error > 0 ? "should fire" : "should not fire")),
        h("div", { class: "mx-step__lines" },
          line(vector("z"), " = ", factor(last.w[0]), " · ", value(last.x[0]), " + ", factor(last.w[1]), " · ", value(last.x[1]), last.b < 0 ? " − " : " + ", value(Math.abs(last.b)), " = ", value(last.z)),
          line(vector("ŷ"), smooth ? " = s(" : " = H(", vector("z"), ") = ", value(last.answer, 3)),
          line(vector("e"), " = ", vector("y"), " − ", vector("ŷ"), ` = ${last.y} − `, value(last.answer, 3), " = ", result(last.error)),
          line("Δ", vector("w"), " = ", vector("η"), vector("e"), " ", vector("x"), " = (", result(last.dw[0]), ", ", result(last.dw[1]), ")"),
          line("Δ", vector("b"), " = ", vector("η"), vector("e"), " = ", result(last.db))));
    }
    const result = v => { const place = value(v, 3); place.classList.add("mx-step__result"); return place; };

    /* The plane */
    function half(z) {  // where z ≥ 0 in the rectangle, as a polygon, and the border z = 0; z is affine
      const area = [], border = [];
      for (let k = 0; k < 4; k++) {
        const a = k, c = (k + 1) % 4, at = t => [0, 1].map(d => corners[2 * a + d] + t * (corners[2 * c + d] - corners[2 * a + d]));
        if (z[a] >= 0) area.push(at(0));
        if ((z[a] >= 0) !== (z[c] >= 0)) { const cut = at(z[a] / (z[a] - z[c])); area.push(cut); border.push(cut); }
      }
      return { area, border };
    }

    let scale;
    function drawPlane(now) {
      const width = frame.clientWidth;
      if (!width) return;
      const left = 34, rightEdge = 10, bottom = 36, top = 22;
      const unitLength = (width - left - rightEdge) / (SPAN.x[1] - SPAN.x[0]);
      const { X, Y, inside } = MX.axes(plane, {
        width, height: unitLength * (SPAN.y[1] - SPAN.y[0]) + bottom + top, left, right: rightEdge, bottom, top,
        x: { from: SPAN.x[0], to: SPAN.x[1], ticks: [0, 1, 2, 3], label: "x₁: spots, in tens" },
        y: { from: SPAN.y[0], to: SPAN.y[1], ticks: [0, 1, 2] },
      });
      scale = { X, Y, left, top, unit: unitLength };
      const path = points => (points.length ? `M${points.map(([p, q]) => `${X(p).toFixed(1)},${Y(q).toFixed(1)}`).join("L")}` : "");
      const moving = w[0] !== 0 || w[1] !== 0;
      const { area, border } = half(run.corners(w, b, corners, y.subarray(0, 4)).z);
      inside.append(s("path", { class: "mx-neuron__half", d: path(area) + (area.length ? "Z" : "") }));
      if (ghost) inside.append(s("path", { class: "mx-curve mx-curve--thin mx-stroke6 mx-dashed", d: path(half(ghost).border) }));
      if (moving && border.length === 2) {
        inside.append(s("path", { class: "mx-neuron__line", d: path(border) }));
        const length = Math.hypot(...w), middle = [0, 1].map(d => (border[0][d] + border[1][d]) / 2);
        const tip = middle.map((v, d) => v + (0.3 * w[d]) / length), side = [-w[1] / length, w[0] / length];
        const head = [1, -1].map(o => tip.map((v, d) => v - (0.07 * w[d]) / length + o * 0.04 * side[d]));
        inside.append(
          s("path", { class: "mx-neuron__normal", d: `${path([middle, tip])}${path([head[0], tip, head[1]])}` }),
          s("text", { class: "mx-neuron__w", x: X(tip[0] + (0.1 * w[0]) / length), y: Y(tip[1] + (0.1 * w[1]) / length) + 4, "text-anchor": "middle" }, "w"));
      }
      plane.append(s("text", { class: "mx-tick", x: left - 14, y: 12 }, "x₂: stem, in dm"));
      const points = data.y.map((kind, i) => mushroom(i, X(x[2 * i]), Y(x[2 * i + 1]), kind, now.answer[i] !== y[i]));
      plane.append(s("g", {}, points));
      if (plane.contains(document.activeElement) || hand.refocus) points[hand.chosen].focus();
    }

    function mushroom(i, cx, cy, kind, wrong) {
      const spots = Math.round(GRID * x[2 * i]), stem = Math.round(GRID * x[2 * i + 1]);
      const point = s("g", {
        class: `mx-neuron__point ${last && last.i === i ? "is-now" : ""}`, tabindex: i === hand.chosen ? 0 : -1, role: "button", "data-point": i,
        "aria-label": `Mushroom ${i + 1}: ${spots} spots, stem ${stem} centimeters, ${KIND[kind]}, the neuron is ${wrong ? "wrong" : "right"}. Arrow keys move it, Page Up and Page Down choose another.`,
      },
        s("circle", { class: "mx-neuron__touch", cx, cy, r: 15 }),
        last && last.i === i ? s("circle", { class: "mx-neuron__ring", cx, cy, r: 11 }) : null,
        kind ? s("circle", { class: "mx-dot mx-neuron__poisonous", cx, cy, r: 6.5 }) : s("rect", { class: "mx-dot mx-neuron__safe", x: cx - 5.6, y: cy - 5.6, width: 11.2, height: 11.2 }),
        wrong ? s("path", { class: "mx-neuron__cross", d: `M${cx - 2.8},${cy - 2.8}l5.6,5.6m0,-5.6l-5.6,5.6` }) : null);
      return point;
    }

    /* Moving points: pointer and keys */
    const hand = MX.points(plane, {
      count: () => N, at: i => [x[2 * i], x[2 * i + 1]], step: () => 1 / GRID, move, draw,
      place: event => {
        const box = plane.getBoundingClientRect();
        return [(event.clientX - box.left - scale.left) / scale.unit + SPAN.x[0], SPAN.y[1] - (event.clientY - box.top - scale.top) / scale.unit];
      },
    });

    /* The chart of runs */
    const agree = (a, c) => a.slice(0, c.length).every((v, i) => v === c[i]);
    function drawChart() {
      const width = chartFrame.clientWidth;
      if (!width) return;
      const mist = state.kind === "threshold", runs = [...earlier.slice().reverse(), trace];
      const to = Math.max(120, ...runs.map(r => r.at.length - 1)), most = Math.max(...runs.flatMap(r => Math.max(...r.value)));
      chartTitle.textContent = mist ? "Mistakes so far" : "Mean loss of all 24";
      const top = Math.max(10, Math.ceil(most / 10) * 10);
      const powers = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10], low = Math.min(0.1, ...runs.flatMap(r => Math.min(...r.value)));
      const { X, Y, inside } = MX.axes(chart, {
        width, height: 170, left: 40,
        x: { from: 0, to, ticks: Array.from({ length: 6 }, (_, k) => (k * Math.ceil(to / 120) * 24)).filter(t => t <= to), label: "examples seen" },
        y: mist ? { from: 0, to: top * 1.05, ticks: [0, top / 2, top] }
          : { from: Math.max(1e-5, low / 1.5), to: Math.max(2, 1.2 * most), log: true, ticks: powers.filter(t => t >= low / 1.5 && t <= Math.max(2, 1.2 * most)), text: v => (v >= 0.01 ? String(v) : `10${v === 1e-3 ? "⁻³" : "⁻⁴"}`) },
      });
      runs.forEach((r, k) => inside.append(s("path", {
        class: `mx-curve ${k === runs.length - 1 ? "mx-stroke1" : "mx-curve--thin mx-stroke6"}`, d: MX.curve(r.at, r.value.map(v => Math.max(v, mist ? 0 : 1e-5)), X, Y),
      })));
      const end = trace.at.length - 1;
      chartNote.textContent = earlier.length ? `Thin: ${earlier.map(r => r.label).join(", ")}.${mist && earlier.every(r => agree(r.value, trace.value)) ? " The mistakes are the same." : ""}` : "";
      inside.append(s("circle", { class: "mx-dot mx-fill1", cx: X(end), cy: Y(Math.max(trace.value[end], mist ? 0 : 1e-5)), r: 4 }));
      const tags = new Set();
      runs.slice().reverse().forEach((r, k) => {
        const j = r.at.length - 1;
        if (j < 1) return;
        const yTag = clamp(Y(Math.max(r.value[j], 1e-5)) - 7, [14, 134]), slot = Math.round(yTag / 13);
        const same = k > 0 && mist && r.value[j] === trace.value[end] && j === end;
        if (tags.has(slot) && !same) return;
        if (same) return;
        tags.add(slot);
        chart.append(s("text", { class: "mx-tick mx-neuron__tag", x: Math.min(X(j), width - 12), y: yTag, "text-anchor": "end" }, r.label));
      });
      chart.setAttribute("aria-label", `${chartTitle.textContent} against examples seen; now ${MX.text(trace.value[end])} after ${end}. ${runs.length > 1 ? `Thin: earlier runs with ${earlier.map(r => r.label).join(", ")}.` : ""}`);
    }

    const loop = MX.loop(root, calm => {
      if (++waited < (calm ? 1 : FRAMES[state.speed])) return;
      waited = 0;
      for (let k = calm ? 6 : 1; k > 0 && !done(); k--) learn();
      if (done()) loop.stop();
      draw();
    });

    x = Float32Array.from(data.x.flat());
    promised();
    reset();
    MX.redraw(frame, draw);

    /** Every rate of either neuron anew from zero, at the marks; and the bound. */
    mount.check = () => {
      const before = { ...state, x: x.slice() }, pairs = {};
      x = Float32Array.from(data.x.flat());
      promised();
      [promise.margin, promise.radius, promise.bound].forEach((v, k) => { pairs[`bound ${k}`] = [v, data.bound[k]]; });
      for (const kind of Object.keys(data.references)) {
        data.rates.forEach((eta, r) => {
          Object.assign(state, { kind, rate: r });
          trace = null;
          reset();
          data.marks.filter(mark => mark <= data.sure[kind][r]).forEach((mark, m) => {
            while (seen < mark) learn();
            draw();
            const shown = [...ws, bs, count, loss].map(e => e.value());
            shown.forEach((v, k) => { pairs[`${kind}, rate ${eta}, example ${mark}, ${k}`] = [v, data.references[kind][r][m][k]]; });
          });
        });
      }
      ({ x } = before);
      delete before.x;
      Object.assign(state, before);
      trace = null; earlier = [];
      promised();
      reset();
      return pairs;
    };
  });
})();
