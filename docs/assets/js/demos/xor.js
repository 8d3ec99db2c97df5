/* XOR, trained in the page by the package's traced backpropagation and gradient step. */
(function () {
  "use strict";
  const { h, s } = MX;
  const LAST = 20000, PER_FRAME = { slow: 1, medium: 8, fast: 64 };

  MX.demo("xor", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const { side, corner, marks } = data;
    const tick = i => -corner + ((1 + 2 * corner) * i) / (side - 1);
    const plane = Float32Array.from({ length: 2 * side * side }, (_, n) => {  // the first row of the map is its top
      const row = Math.floor(n / 2 / side), column = Math.floor(n / 2) % side;
      return n % 2 ? tick(side - 1 - row) : tick(column);
    });
    const corners = Float32Array.from(data.x.flat());
    const state = { hidden: "4", start: 0, rate: data.rate, speed: "medium" };
    let params, steps, losses, pure;

    function reset() {
      loop.stop();
      params = data.starts[state.hidden][state.start].map(MX.decode);
      steps = 0;
      losses = [];
      pure = true;  // no change of the rate since the start: JAX's reference holds
      label();
      draw();
    }

    /** One step of training. */
    function train() {
      const out = run[`step${state.hidden}`](...params, data.rates[state.rate]);
      losses.push(out[0][0]);
      params = out.slice(1).map(a => a.slice());
      steps++;
    }

    /** The loss now: that of the parameters before a step that nobody takes. */
    const current = () => run[`step${state.hidden}`](...params, data.rates[state.rate])[0][0];
    const references = () => data.references[state.hidden][state.start][state.rate];

    /* Controls */
    const play = MX.button("Train", () => { loop.running ? loop.stop() : loop.start(); label(); }, "main");
    const one = MX.button("One step", () => { loop.stop(); train(); label(); draw(); });
    const again = MX.button("Reset", reset);
    const fresh = MX.button("New start", () => { state.start = (state.start + 1) % data.starts[state.hidden].length; reset(); });
    const hidden = MX.select("Hidden units", ["4", "2"], v => { state.hidden = v; state.start = 0; reset(); });
    const speed = MX.select("Speed", Object.keys(PER_FRAME), v => { state.speed = v; });
    const rate = MX.slider("Learning rate", {
      min: 0, max: data.rates.length - 1, step: 1, value: state.rate, text: i => String(data.rates[i]),
      on: i => { state.rate = i; pure = pure && steps === 0; draw(); },
    });
    speed.value = state.speed;

    /* Display */
    const map = h("canvas", { width: side, height: side, class: "mx-map__colors" });
    const lines = s("svg", { viewBox: "0 0 100 100", class: "mx-map__lines", "aria-hidden": "true" });
    const picture = h("div", { class: "mx-map", role: "img" }, map, lines);
    const chart = s("svg", { class: "mx-plot", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const here = MX.number({ class: "mx-number mx-forward" }), there = MX.number(), apart = MX.number(), stepNumber = MX.number();
    const table = h("tbody"), startNumber = h("span", { class: "mx-number" });
    const voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, play, one, again, fresh, hidden.root, speed.root),
      h("div", { class: "mx-bar" }, rate.root),
      h("div", { class: "mx-cols mx-cols--even" },
        h("div", {}, picture, MX.key(
          ["mx-key__dot mx-key__dot--round mx-back1", "target 1"], ["mx-key__dot mx-back2", "target 0"],
          ["mx-key__line", "answer ½"], ["mx-key__line mx-key__line--dashed mx-color6", "z = 0 of a hidden unit"])),
        h("div", {}, frame, MX.key(["mx-key__line mx-forward", "loss, this page"], ["mx-key__ring", "loss, JAX, same start and rate"]))),
      h("div", { class: "mx-cols mx-cols--even" },
        h("dl", { class: "mx-facts" },
          h("dt", {}, "start"), h("dd", {}, startNumber),
          h("dt", {}, "step"), h("dd", {}, stepNumber),
          h("dt", {}, "loss, this page"), h("dd", {}, here),
          h("dt", {}, "loss, JAX"), h("dd", {}, there),
          h("dt", {}, "relative difference"), h("dd", {}, apart)),
        h("table", { class: "mx-table" },
          h("thead", {}, h("tr", {}, ...["x₁", "x₂", "target", "answer"].map(t => h("th", { scope: "col" }, t)))), table)),
      voice);

    function label() {
      play.textContent = loop.running ? "Pause" : "Train";
      play.disabled = one.disabled = steps >= LAST;
    }

    function draw() {
      const loss = current(), answers = run[`corners${state.hidden}`](...params, corners)[0];
      const right = data.y.filter((y, i) => Math.round(answers[i]) === y).length;
      startNumber.textContent = `${state.start + 1} of ${data.starts[state.hidden].length}`;
      stepNumber.textContent = steps.toLocaleString("en");
      stepNumber.dataset.value = steps;
      here.show(loss, 4);
      compare(loss);
      table.replaceChildren(...data.x.map((x, i) => {
        const good = Math.round(answers[i]) === data.y[i], cells = [...x, data.y[i]].map(v => h("td", {}, String(v)));
        return h("tr", {}, cells, h("td", { class: good ? "mx-right" : "mx-wrong" }, `${answers[i].toFixed(3)} ${good ? "✓" : "✗"}`));
      }));
      drawMap();
      drawLoss(loss);
      picture.setAttribute("aria-label", `Answers of the network on the plane after ${steps} steps; ${right} of the four points are right`);
      chart.setAttribute("aria-label", `Loss against step, both axes logarithmic: ${MX.text(loss)} after ${steps} steps`);
      if (!loop.running) voice.say(`After ${steps} steps the loss is ${MX.text(loss)}; ${right} of four answers are right.`);
    }

    /** JAX's loss after as many steps, or at the last mark before. */
    function compare(loss) {
      const k = marks.filter(m => m <= steps).length - 1;
      if (!pure || k < 0) {
        there.textContent = pure ? `from step ${marks[0]} on` : "none: the rate was changed on the way";
        apart.textContent = "–";
        return;
      }
      const now = marks[k] === steps, theirs = references()[k], ours = now ? loss : losses[marks[k]];
      there.show(theirs, 4);
      if (!now) there.textContent += ` at step ${marks[k].toLocaleString("en")}`;
      apart.show(Math.abs(ours / theirs - 1), 1);
    }

    function drawMap() {
      const [answer, units] = run[`plane${state.hidden}`](...params, plane);
      const low = MX.rgb(root, "--c2"), high = MX.rgb(root, "--c1"), paper = MX.rgb(root, "--md-default-bg-color");
      const brush = map.getContext("2d"), image = brush.createImageData(side, side);
      answer.forEach((p, i) => {
        const color = p > 0.5 ? high : low, strength = 0.62 * Math.min(1, Math.abs(2 * p - 1));
        for (let k = 0; k < 3; k++) image.data[4 * i + k] = paper[k] * (1 - strength) + color[k] * strength;
        image.data[4 * i + 3] = 255;
      });
      brush.putImageData(image, 0, 0);
      const unit = 100 / (side - 1), place = v => (100 * (v + corner)) / (1 + 2 * corner);
      lines.replaceChildren(
        ...Array.from({ length: Number(state.hidden) }, (_, j) =>
          s("path", { class: "mx-map__unit", d: MX.contour(units.subarray(j * side * side, (j + 1) * side * side), side, 0, unit) })),
        s("path", { class: "mx-map__border", d: MX.contour(answer, side, 0.5, unit) }),
        ...data.x.map(([a, b], i) => data.y[i]
          ? s("circle", { class: "mx-map__point mx-fill1", cx: place(a), cy: 100 - place(b), r: 3.2 })
          : s("rect", { class: "mx-map__point mx-fill2", x: place(a) - 2.9, y: 97.1 - place(b), width: 5.8, height: 5.8 })));
    }

    function drawLoss(loss) {
      const width = frame.clientWidth;
      if (!width) return;
      const last = Math.max(2400, 1.15 * steps), decades = [1, 10, 100, 1000, 10000].filter(t => t < last);
      const text = v => (v >= 1 ? v.toLocaleString("en") : `10${{ 1: "⁻¹", 2: "⁻²", 3: "⁻³", 4: "⁻⁴", 5: "⁻⁵" }[Math.round(-Math.log10(v))]}`);
      const { X, Y, inside } = MX.axes(chart, {
        width, height: Math.min(width, 330), left: 40,
        x: { from: 0.85, to: last, log: true, ticks: decades, text, label: "step" },
        y: { from: 3e-6, to: 0.4, log: true, ticks: [1e-1, 1e-2, 1e-3, 1e-4, 1e-5], text },
      });
      const xs = [], ys = [];
      for (let t = 1; t < losses.length; t = Math.max(t + 1, Math.floor(t * 1.02))) { xs.push(t); ys.push(losses[t]); }
      if (steps > 0) { xs.push(steps); ys.push(loss); }
      inside.append(s("path", { class: "mx-curve mx-stroke1", d: MX.curve(xs, ys, X, Y) }));
      if (pure) inside.append(...marks.map((m, k) => s("circle", { class: "mx-ring", cx: X(m), cy: Y(references()[k]), r: 4 })));
      if (steps > 0) inside.append(s("circle", { class: "mx-dot mx-fill1", cx: X(steps), cy: Y(loss), r: 4.5 }));
    }

    const loop = MX.loop(root, calm => {
      for (let i = PER_FRAME[state.speed] * (calm ? 20 : 1); i > 0 && steps < LAST; i--) train();
      if (steps >= LAST) loop.stop();
      label();
      draw();
    });

    reset();
    MX.redraw(frame, draw);

    /* On the home page it begins by itself once it is seen, unless motion is unwelcome. */
    if (mount.closest(".mx-hero") && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const watch = new IntersectionObserver(seen => {
        if (!seen[0].isIntersecting) return;
        watch.disconnect();
        if (steps === 0 && !loop.running) play.click();
      }, { threshold: 0.6 });
      watch.observe(mount);
    }

    /** Train every start at every rate anew: the loss that the page shows at the marks, and JAX's. */
    mount.check = () => {
      const before = { ...state }, pairs = {};
      for (const units of Object.keys(data.starts)) {
        data.starts[units].forEach((_, start) => data.rates.forEach((eta, rate) => {
          Object.assign(state, { hidden: units, start, rate });
          reset();
          marks.forEach((mark, k) => {
            while (steps < mark) train();
            here.show(current(), 4);
            pairs[`${units} units, start ${start}, rate ${eta}, step ${mark}`] = [here.value(), references()[k]];
          });
        }));
      }
      Object.assign(state, before);
      reset();
      return pairs;
    };
  });
})();
