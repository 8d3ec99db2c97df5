/* The tent map folded k times by k layers of two units, one hidden layer of w units beside it, and a point on its way. */
(function () {
  "use strict";
  const { h, s } = MX;
  const FRAMES = 45, SHARE = 0.6;  // of a fold: the part in which it creases; then it is stretched
  const QUARTERS = { 0: "0", 0.25: "¼", 0.5: "½", 0.75: "¾", 1: "1" };

  MX.demo("sawtooth", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const { cells, knots: count } = data, most = data.units.length;
    const named = (name, ...inputs) => Object.fromEntries(run[name](...inputs).map((a, i) => [run[name].names[i], a.slice()]));
    const row = (a, k) => a.subarray((k - 1) * (a.length / most), k * (a.length / most));

    const lattice = Float32Array.from({ length: cells + 1 }, (_, i) => i / cells);
    const curves = named("lattice", lattice), deep = named("deep", curves.value, curves.wanted);
    const graph = k => (k ? row(curves.value, k) : lattice);
    const state = { k: 3, width: 6, x: 0.3, kind: "teeth" };
    let wide, shown = graph(state.k);

    /* Controls */
    const folds = MX.slider("Folds k", { min: 1, max: most, step: 1, value: state.k, text: String, on: fold });
    const units = MX.slider("Shallow units w", {
      min: 0, max: data.widths.length - 1, step: 1, value: data.widths.indexOf(state.width), text: i => String(data.widths[i]),
      on: i => { state.width = data.widths[i]; learn(); draw(); },
    });
    const kind = MX.select("Its knots", [["teeth", "on the first teeth"], ["even", "evenly spaced"]], v => { state.kind = v; learn(); draw(); });
    const point = MX.slider("Point x", { min: 0, max: 1, step: 0.005, value: state.x, text: v => v.toFixed(3), on: v => { state.x = v; draw(); } });
    const more = MX.button("Fold", () => { folds.value = state.k + 1; fold(state.k + 1); }, "main");
    const less = MX.button("Unfold", () => { folds.value = state.k - 1; fold(state.k - 1); });

    /* Display */
    const chart = s("svg", { class: "mx-plot mx-plot--drag", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const way = s("svg", { class: "mx-plot", role: "img" });
    const cell = () => [MX.number({ class: "mx-number mx-forward" }), MX.number({ class: "mx-number mx-backward" })];
    const rows = { layers: cell(), units: cell(), pieces: cell(), sup: cell(), mean: cell(), needed: cell() };
    const names = { layers: "hidden layers", units: "units", pieces: "pieces", sup: "largest error", mean: "mean error", needed: "units needed" };
    const verdict = h("p", { class: "mx-verdict mx-sawtooth__verdict" }), story = h("p", { class: "mx-sawtooth__title" }), end = MX.number({ class: "mx-number mx-forward" });
    const steps = Array.from({ length: most + 1 }, () => MX.number()), voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, more, less, folds.root),
      h("div", { class: "mx-bar" }, units.root, kind.root),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, frame,
          MX.key(["mx-key__line mx-forward", "deep"], ["mx-key__line mx-backward mx-key__line--dashed", "shallow"], ["mx-key__dot mx-key__dot--round mx-back4", "x and all that end where it ends"]),
          point.root, story, way),
        h("div", {},
          h("table", { class: "mx-table mx-sawtooth__table" },
            h("thead", {}, h("tr", {}, ...["", "deep", "shallow"].map(t => h("th", { scope: "col" }, t)))),
            h("tbody", {}, ...Object.entries(rows).map(([key, pair]) => h("tr", {}, h("th", { scope: "row" }, names[key]), pair.map(number => h("td", {}, number)))))),
          verdict)),
      voice);

    /** Go to k folds; the last of them, or its undoing, is seen happening. */
    function fold(k) {
      const from = state.k;
      loop.stop();
      state.k = k;
      learn();
      turn = k > from ? 0 : FRAMES;
      forward = k > from;
      base = forward ? k - 1 : from - 1;
      draw();
      if (k !== from) { loop.start(); moving(); }
    }
    let turn = 0, forward = true, base = 0;

    function moving() {
      const part = turn / FRAMES, crease = Math.min(1, part / SHARE), stretch = 1 + Math.max(0, (part - SHARE) / (1 - SHARE));
      shown = run.bend(graph(base), crease, stretch)[0].slice();
      drawGraph();
    }

    /** The shallow network for this width. */
    function learn() {
      const width = Math.min(state.width, count - 1);
      const plan = state.kind === "teeth" ? named("teeth", 2 ** state.k, width) : named("even", width);
      const at = row(named("points", plan.knots.map(t => Math.min(Math.max(t, 0), 1))).value, state.k).slice();
      wide = named("shallow", plan.knots, plan.heights || at, row(curves.wanted, state.k), at);
    }

    function draw() {
      const { k, width } = state, N = 2 ** k;
      shown = graph(k);
      more.disabled = k === most;
      less.disabled = k === 1;
      const numbers = {
        layers: [k, 1], units: [data.units[k - 1], width], pieces: [deep.pieces[k - 1], wide.pieces[0]],
        sup: [deep.sup[k - 1], wide.sup[0]], mean: [deep.mean[k - 1], wide.mean[0]],
        needed: [data.units[k - 1], N],
      };
      for (const [key, pair] of Object.entries(numbers)) pair.forEach((v, i) => { rows[key][i].show(v, 3).textContent = Number.isInteger(v) ? String(v) : v.toFixed(3); });
      const least = width + 1 < N, exact = wide.sup[0] < 1e-5;
      verdict.className = `mx-verdict mx-sawtooth__verdict mx-verdict--${exact ? "good" : "bad"}`;
      verdict.replaceChildren(...(exact
        ? [h("strong", {}, "Exact. "), `One hidden layer has the ${N} pieces as well. It takes ${N} units for them, ${k} layers take ${data.units[k - 1]}.`]
        : least
          ? [h("strong", {}, "Out of reach. "), `The sawtooth crosses ½ on each of its ${N} pieces. ${width} units in one layer make at most ${width + 1} pieces, and each crosses ½ once at most. So every shallow network of ${width} ${width === 1 ? "unit" : "units"} is wrong by ½ or more somewhere.`]
          : width < N
            ? [h("strong", {}, "One unit short. "), `${width} ${width === 1 ? "unit" : "units"} can have the ${N} pieces, but not with slopes ${N} and −${N} in turn: that takes ${N} units.`]
            : [h("strong", {}, "Enough units, wrong knots. "), `${N} of them suffice where their knots are at the tips of the teeth.`]));
      drawGraph();
      drawWay();
      voice.say(`${k} folds: ${numbers.pieces[0]} pieces from ${data.units[k - 1]} units in ${k} layers. The shallow network of ${width} units has ${numbers.pieces[1]} pieces and is wrong by up to ${MX.text(wide.sup[0])}.`);
    }

    /** Where a sawtooth takes a value, and what all its layers make of these points: x first. */
    function preimages() {
      const { k, x } = state, y = row(named("points", new Float32Array(count).fill(x)).value, k)[0], curve = graph(k), found = [x];
      for (let i = 0; i <= cells && found.length < count; i++) {
        const a = curve[i] - y, b = curve[i + 1] - y;
        if (a !== 0 && !(a * b < 0)) continue;  // neither here, as at a kink, nor between here and the next
        const at = (i + (a && a / (a - b))) / cells;
        if (Math.abs(at - x) > 1e-3 / 2 ** k) found.push(at);
      }
      const all = named("points", Float32Array.from({ length: count }, (_, i) => found[i] ?? x)).value;
      return found.map((at, i) => [at, ...Array.from({ length: k }, (_, j) => row(all, j + 1)[i])]);
    }

    let scales;
    function drawGraph() {
      const width = frame.clientWidth;
      if (!width) return;
      scales = MX.axes(chart, {
        width, height: 250, left: 24, top: 10,
        x: { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], text: v => QUARTERS[v], label: "x" },
        y: { from: -0.04, to: 1.04, ticks: [0, 0.5, 1], text: v => QUARTERS[v] },
      });
      const { X, Y, inside } = scales, fine = state.k > 5;
      inside.append(
        s("path", { class: "mx-curve mx-stroke1", style: `stroke-width: ${fine ? 1.1 : 2.2}`, d: MX.curve(lattice, shown, X, Y) }),
        s("path", { class: `mx-curve mx-stroke2 ${fine ? "" : "mx-dashed"}`, style: fine ? "stroke-width: 1.1" : "", d: MX.curve(lattice, wide.value, X, Y) }));
      if (loop.running) return;
      const paths = preimages(), y = paths[0][state.k];
      chart.append(
        s("path", { class: "mx-drop", d: `M${X(0)},${Y(y)}H${X(1)}M${X(state.x)},${Y(y)}V${Y(-0.04)}` }),
        ...paths.map(([at], i) => s("circle", { class: i ? "mx-fill4" : "mx-dot mx-fill4", cx: X(at), cy: Y(y), r: i ? (fine ? 1.6 : 3) : 6 })));
      chart.setAttribute("aria-label", `Graphs of the deep network, ${2 ** state.k} pieces, and of the shallow one; at x = ${state.x} the deep network gives ${MX.text(y)}`);
    }

    function drawWay() {
      const width = frame.clientWidth;
      if (!width) return;
      const { k, x } = state, paths = preimages(), layers = Array.from({ length: k + 1 }, (_, j) => j);
      const { X, Y } = MX.axes(way, {
        width, height: 210, left: 24, top: 10,
        x: { from: 0, to: k, ticks: layers, text: j => (j ? String(j) : "x"), label: "after so many layers" },
        y: { from: -0.04, to: 1.04, ticks: [0, 0.5, 1], text: v => QUARTERS[v] },
      });
      const links = new Set(paths.flatMap(path => layers.slice(1).map(j => MX.curve([j - 1, j], path.slice(j - 1, j + 1), X, Y))));
      way.append(
        s("path", { class: "mx-sawtooth__others", d: [...links].join("") }),
        s("path", { class: "mx-curve mx-stroke4", d: MX.curve(layers, paths[0], X, Y) }),
        ...paths[0].map((y, j) => s("circle", { class: "mx-dot mx-fill4", cx: X(j), cy: Y(y), r: j ? 4 : 6 })));
      paths[0].forEach((y, j) => steps[j].show(y, 3));
      const others = paths.length - 1;
      story.replaceChildren(h("strong", {}, "Layer by layer: "), steps[0], ...layers.slice(1).flatMap(j => [" → ", steps[j]]),
        others ? `. ${others} other ${others === 1 ? "point ends" : "points end"} there too.` : ".");
      way.setAttribute("aria-label", `The way of x = ${x} through ${k} layers, and of ${others} points that end at the same height`);
    }

    /* The pointer on the graph moves x. */
    let held = null;
    const follow = event => {
      const box = chart.getBoundingClientRect(), { X } = scales, part = (event.clientX - box.left - X(0)) / (X(1) - X(0));
      state.x = point.value = Math.round(200 * Math.max(0, Math.min(1, part))) / 200;
      draw();
    };
    chart.addEventListener("pointerdown", event => {
      if (event.button) return;
      held = event.pointerId;
      chart.setPointerCapture(held);
      follow(event);
    });
    chart.addEventListener("pointermove", event => { if (event.pointerId === held) follow(event); });
    chart.addEventListener("lostpointercapture", () => { held = null; });

    const loop = MX.loop(root, calm => {
      turn += forward ? 1 : -1;
      if (!calm && turn > 0 && turn < FRAMES) return moving();
      loop.stop();
      draw();
    });

    learn();
    draw();
    MX.redraw(frame, draw);

    /** Both networks at every case, beside counting and NumPy; the ways of some points beside plain arithmetic. */
    mount.check = () => {
      const before = { ...state }, pairs = {};
      loop.stop();
      const show = to => { Object.assign(state, to); learn(); draw(); };
      for (const { folds: k, width, deep: [units, pieces, sup], teeth, even } of data.references) {
        const put = (what, number, wanted) => { pairs[`k ${k}, w ${width}: ${what}`] = [number.value(), wanted]; };
        show({ k, width, kind: "teeth" });
        put("units of the deep network", rows.units[0], units);
        put("its pieces", rows.pieces[0], pieces);
        put("1 + its error", { value: () => 1 + rows.sup[0].value() }, 1 + sup);
        ["pieces", "sup", "mean"].forEach((key, i) => put(key, { value: () => 1 + rows[key][1].value() }, 1 + teeth[i]));
        show({ k, width, kind: "even" });
        put("even, sup", { value: () => 1 + rows.sup[1].value() }, 1 + even[0]);
      }
      for (const path of data.paths) {
        show({ k: path.length - 1, x: path[0] });
        path.forEach((y, j) => { pairs[`x ${path[0]}, layer ${j}`] = [steps[j].value(), y]; });
      }
      show(before);
      return pairs;
    };
  });
})();
