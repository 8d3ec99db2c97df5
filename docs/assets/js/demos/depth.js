/* Signals through depth: activations forward and errors backward, each layer by the package's traced programs. */
(function () {
  "use strict";
  const { h, s } = MX;
  const BINS = 24, SEEN = 5, HEIGHT = 54;  // of the histograms: bars, layers, pixels
  const power = n => `10${Array.from(String(n), c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("")}`;

  MX.demo("depth", (root, data, mount) => {
    const { width, times } = data;
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const levels = MX.decode(data.levels), bytes = Uint8Array.from(atob(data.bytes), c => c.charCodeAt(0));
    const x = MX.decode(data.x), end = MX.decode(data.delta);
    const kinds = Object.fromEntries(data.kinds.map(([name, kind, gain]) => [name, { kind, gain }]));
    const ranges = Object.fromEntries(data.activations.map(a => [a.name, a.range]));
    const state = { activation: "sigmoid", kind: "Xavier", times: times.indexOf(1), depth: 20 };
    const made = { normal: [], orthogonal: [] };
    let signal;

    /** The weights of a layer, made when they are first needed. */
    function weights(kind, l) {
      if (!made.normal[l]) made.normal[l] = Float32Array.from(bytes.subarray(l * width ** 2, (l + 1) * width ** 2), b => levels[b]);
      if (kind === "orthogonal" && !made.orthogonal[l]) {
        let Q = new Float32Array(width ** 2);
        for (let k = 0; k < width; k++) {
          const one = new Float32Array(width);
          one[k] = 1;
          Q = run.column(Q, made.normal[l], one)[0].slice();
        }
        made.orthogonal[l] = Q;
      }
      return made[kind][l];
    }

    const named = (name, out) => Object.fromEntries(run[name].names.map((key, k) => [key, out[k]]));

    /** One pass forward and one backward: what every layer holds, and what theory says of it. */
    function pass() {
      const { kind, gain } = kinds[state.kind], g = gain * times[state.times], sigma = state.activation, up = [], down = [];
      let a = x, delta = end, log = 0;
      for (let l = 0; l < state.depth; l++) {
        const out = named(`${sigma}.forward`, run[`${sigma}.forward`](weights(kind, l), g, a));
        up.push({ z: out.z.slice(), a: (a = out.a.slice()), size: out.size[0], flat: out.flat[0] });
      }
      down[state.depth - 1] = { delta: end, log: 0 };
      for (let l = state.depth - 2; l >= 0; l--) {
        if (!Number.isFinite(up[state.depth - 1].size)) log = NaN;  // what overflowed on its way forward has no gradient
        const out = named(`${sigma}.backward`, run[`${sigma}.backward`](weights(kind, l + 1), g, delta, up[l].z, log));
        down[l] = { delta: (delta = out.delta.slice()), log: (log = out.log[0]) };
      }
      const wide = [];
      for (let l = 0, spread = g; l < state.depth; l++) {
        const out = named(`${sigma}.predict`, run[`${sigma}.predict`](spread, g));
        wide.push({ size: out.size[0], factor: out.factor[0], log: 0 });
        spread = out.spread[0];
      }
      for (let l = state.depth - 2; l >= 0; l--) wide[l].log = wide[l + 1].log + Math.log10(wide[l].factor);
      signal = { up, down, wide, g };
    }

    const perLayer = layers => 10 ** (layers[0].log / (layers.length - 1));

    /* Controls */
    const change = key => value => { state[key] = value; update(); };
    const which = MX.select("Activation", data.activations.map(a => a.name), change("activation"));
    const start = MX.select("Weights", Object.keys(kinds), kind => { state.kind = kind; scale.value = state.times = times.indexOf(1); update(); });
    const deep = MX.slider("Layers", { min: 2, max: data.depth, step: 1, value: state.depth, text: String, on: change("depth") });
    const scale = MX.slider("Scale", { min: 0, max: times.length - 1, step: 1, value: state.times, text: i => `× ${times[i]}`, on: change("times") });
    start.value = state.kind;

    /* Display */
    const chart = s("svg", { class: "mx-plot", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const bars = s("svg", { class: "mx-plot", role: "img" }), under = h("div", { class: "mx-frame mx-cols" }, bars);
    const gain = MX.number(), forward = MX.number({ class: "mx-number mx-forward" }), flat = MX.number();
    const back = MX.number({ class: "mx-number mx-backward" }), factor = MX.number({ class: "mx-number mx-backward" }), theory = MX.number();
    const note = h("p", { class: "mx-demo__note" }), voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, which.root, start.root),
      h("div", { class: "mx-bar" }, deep.root, scale.root),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, frame, MX.key(
          ["mx-key__dot mx-key__dot--round mx-back1", "size of a, forward"], ["mx-key__dot mx-key__dot--round mx-back2", "size of δ, backward"],
          ["mx-key__line mx-color6", "predicted for wide layers"])),
        h("div", {},
          h("dl", { class: "mx-facts" },
            h("dt", {}, "g = √n · deviation of W"), h("dd", {}, gain),
            h("dt", {}, "size of a, last layer"), h("dd", {}, forward),
            h("dt", {}, "share of flat units, last layer"), h("dd", {}, flat),
            h("dt", {}, "size of δ, first layer"), h("dd", {}, back),
            h("dt", {}, "δ, factor per layer"), h("dd", {}, factor),
            h("dt", {}, "predicted"), h("dd", {}, theory)),
          note)),
      under,
      voice);

    function say() {
      const { up, down } = signal, last = up[up.length - 1].size, log = down[0].log;
      const lost = up.findIndex(layer => !Number.isFinite(layer.size));
      if (lost >= 0) return `The forward signal overflows float32 in layer ${lost + 1}.`;
      const error = log < -3 ? "The error vanishes on its way back" : log > 3 ? "The error explodes on its way back" : "The error arrives at the first layer";
      if (last < 1e-3) return `${error}, and the signal dies out on its way forward.`;
      if (last > 1e3) return `${error}, and the signal explodes on its way forward.`;
      return `${error}, while the activations keep their size.`;
    }

    function update() {
      pass();
      const { up, down, wide, g } = signal, n = up.length;
      gain.show(g);
      forward.show(up[n - 1].size);
      flat.show(up[n - 1].flat);
      back.show(10 ** down[0].log);
      factor.show(perLayer(down));
      theory.show(perLayer(wide));
      note.textContent = say();
      draw();
      voice.say(`${n} layers of ${state.activation}, weights ${state.kind} times ${times[state.times]}. ${note.textContent}`);
    }

    function draw() {
      drawChart();
      drawBars();
    }

    function drawChart() {
      const wide = frame.clientWidth;
      if (!wide) return;
      const { up, down, wide: theory } = signal, n = up.length, layers = up.map((_, l) => l + 1);
      const a = up.map(layer => Math.log10(layer.size)), d = down.map(layer => layer.log), real = [...a, ...d].filter(Number.isFinite);
      const low = Math.min(-2, Math.floor(Math.min(...real) - 0.4)), high = Math.max(1, Math.ceil(Math.max(...real) + 0.4));
      const gap = [1, 2, 5, 10, 20, 50].find(g => (high - low) / g <= 7), every = [1, 2, 5, 10].find(g => n / g <= (wide < 420 ? 6 : 11));
      const ticks = [], marks = [];
      for (let t = Math.ceil(low / gap) * gap; t <= high; t += gap) ticks.push(t);
      for (let t = every; t <= n; t += every) marks.push(t);
      const { X, Y, inside } = MX.axes(chart, {
        width: wide, height: 300, left: 44,
        x: { from: 0.4, to: n + 0.6, ticks: marks, label: "layer" },
        y: { from: low, to: high, ticks, text: power },
      });
      const curve = ys => s("path", { class: "mx-curve mx-curve--thin mx-stroke6", d: MX.curve(layers, ys, X, Y) });
      const dots = (ys, fill) => ys.map((y, l) => (Number.isFinite(y) ? s("circle", { class: fill, cx: X(l + 1), cy: Y(y), r: n > 30 ? 3 : 4 }) : null));
      inside.append(curve(theory.map(layer => Math.log10(layer.size))), curve(theory.map(layer => layer.log)));
      inside.append(...[...dots(a, "mx-fill1"), ...dots(d, "mx-fill2")].filter(Boolean));
      chart.setAttribute("aria-label", `Sizes by layer, logarithmic. Activations: ${MX.text(up[0].size)} in layer 1, ${MX.text(up[n - 1].size)} in layer ${n}. Errors: 1 in layer ${n}, ${MX.text(10 ** down[0].log)} in layer 1`);
    }

    /** Heights of a histogram between two numbers, the largest 1; what lies outside is counted at the border. */
    function histogram(values, low, high) {
      const counts = new Array(BINS).fill(0);
      for (const v of values) counts[Math.max(0, Math.min(BINS - 1, Math.floor((BINS * (v - low)) / (high - low))))]++;
      const most = Math.max(...counts);
      return counts.map(c => c / most);
    }

    function drawBars() {
      const full = under.clientWidth;
      if (!full) return;
      const { up, down } = signal, n = up.length, [low, high] = ranges[state.activation];
      const shown = Array.from({ length: Math.min(SEEN, n) }, (_, k) => Math.round((k * (n - 1)) / (Math.min(SEEN, n) - 1)));
      const left = 22, gap = 10, each = (full - left - gap * (shown.length - 1)) / shown.length, parts = [];
      const panel = (values, from, to, k, top, fill) => {
        const at = left + k * (each + gap), bar = each / BINS;
        parts.push(s("path", { class: "mx-axis", d: `M${at},${top + HEIGHT}h${each}` }));
        if (values.every(Number.isFinite)) {
          const d = histogram(values, from, to).map((v, i) => (v ? `M${(at + i * bar).toFixed(1)},${top + HEIGHT}v${(-v * HEIGHT).toFixed(1)}h${bar.toFixed(1)}v${(v * HEIGHT).toFixed(1)}z` : ""));
          parts.push(s("path", { class: fill, d: d.join("") }));
        }
        const ends = [[from, "start", at], [to, "end", at + each]];
        parts.push(...ends.map(([v, anchor, place]) => s("text", { class: "mx-tick", x: place, y: top + HEIGHT + 13, "text-anchor": anchor }, MX.short(v))));
      };
      shown.forEach((l, k) => {
        parts.push(s("text", { class: "mx-tick", x: left + k * (each + gap) + each / 2, y: 12, "text-anchor": "middle" }, full < 420 ? String(l + 1) : `layer ${l + 1}`));
        panel(up[l].a, low === null ? -3 : low > -1 && high === null ? Math.min(0, Math.floor(low)) : low, high === null ? 3 : high, k, 20, "mx-fill1");
        panel(down[l].delta.map(v => v * 10 ** down[l].log), -3, 3, k, 40 + HEIGHT, "mx-fill2");
      });
      parts.push(s("text", { class: "mx-tick", x: 0, y: 20 + HEIGHT / 2 }, "a"), s("text", { class: "mx-tick", x: 0, y: 40 + 1.5 * HEIGHT }, "δ"));
      const height = 40 + 2 * HEIGHT + 18;
      bars.setAttribute("viewBox", `0 0 ${full} ${height}`);
      bars.setAttribute("height", height);
      bars.setAttribute("aria-label", `Histograms of the activations and of the errors in layers ${shown.map(l => l + 1).join(", ")}`);
      bars.replaceChildren(...parts);
    }

    update();
    MX.redraw(frame, draw);

    /** JAX's answers for every activation and choice of weights, at two scales. */
    mount.check = () => {
      const before = { ...state }, pairs = {};
      for (const [activation, kind, times, depth, log, factor] of data.references) {
        Object.assign(state, { activation, kind, times, depth });
        pass();
        const what = `${activation}, ${kind}, times ${data.times[times]}, ${depth} layers`;
        pairs[`log10 of the size of a: ${what}`] = [Math.log10(signal.up[depth - 1].size), log];
        pairs[`factor per layer of δ: ${what}`] = [perLayer(signal.down), factor];
      }
      Object.assign(state, before);
      update();
      return pairs;
    };
  });
})();
