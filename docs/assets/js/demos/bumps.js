/* A function from bumps: a target with points to drag, the network of N bumps for it, and its error beside the guarantee. */
(function () {
  "use strict";
  const { h, s } = MX;
  const GAP = 0.04, GRID = 100;  // between neighboring points; places per unit to which a point snaps
  const SHARP = { min: 0.5, max: 3.5, step: 0.05 };  // decimal logarithm of c
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

  MX.demo("bumps", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => {
      const compiled = MX.compile(program);
      return [name, (...args) => Object.fromEntries(compiled(...args).map((out, i) => [program.names[i], out]))];
    }));
    const names = Object.keys(data.targets), [a, b] = data.interval;
    const state = { target: names[0], n: 8, c: 10 ** 1.5 };
    let x, y, shown, scale;

    /* Controls */
    const target = MX.select("Target", names, name => { choose(name); draw(); });
    const count = MX.slider("Bumps N", {
      min: 0, max: data.counts.length - 1, step: 1, value: data.counts.indexOf(state.n), text: i => String(data.counts[i]),
      on: i => { state.n = data.counts[i]; draw(); },
    });
    const sharp = MX.slider("Sharpness c", {
      ...SHARP, value: Math.log10(state.c), text: v => MX.text(10 ** v), on: v => { state.c = 10 ** v; draw(); },
    });
    const mark = MX.marks(sharp);
    const back = MX.button("Points back", () => { choose(state.target); draw(); });

    /* Display */
    const plane = s("svg", { class: "mx-plot", role: "group", "aria-label": "The target, the network and its bumps" });
    const chart = s("svg", { class: "mx-plot", role: "img" });
    const frame = h("div", { class: "mx-frame" }, plane), chartFrame = h("div", { class: "mx-frame" }, chart);
    const numbers = { error: MX.number({ class: "mx-number mx-forward" }), guarantee: MX.number(), bars: MX.number(), lipschitz: MX.number() };
    const units = MX.number(), verdict = h("div", { class: "mx-verdict", style: "min-height: 6.4em; margin-top: .7rem" });
    const voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, target.root, count.root, sharp.root, back),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, frame, MX.key(
          ["mx-key__line mx-key__line--thin", "target f, points to drag"], ["mx-key__line mx-color1", "network"],
          ["mx-key__shade mx-bumps__one", "its bumps"], ["mx-key__shade mx-bumps__band", "f ± guarantee"])),
        h("div", {},
          h("dl", { class: "mx-facts" },
            h("dt", {}, "largest error"), h("dd", {}, numbers.error),
            h("dt", {}, "guarantee ", MX.ref("UAT3")), h("dd", {}, numbers.guarantee),
            h("dt", {}, "of it the bars, Lh/2"), h("dd", {}, numbers.bars),
            h("dt", {}, "steepest slope L"), h("dd", {}, numbers.lipschitz),
            h("dt", {}, "hidden units"), h("dd", {}, units)),
          verdict)),
      h("p", { class: "mx-heading", style: "margin-top: .8rem" }, "Network minus target; dashed: the guarantee"), chartFrame, voice);

    function choose(name) {
      state.target = name;
      x = Float32Array.from(data.targets[name].x);
      y = Float32Array.from(data.targets[name].y);
    }

    function draw() {
      shown = run[state.n](x, y, state.c);
      for (const [name, place] of Object.entries(numbers)) place.show(shown[name][0]);
      units.show(state.n - 1).textContent = String(state.n - 1);
      mark([[Math.log10((4 * state.n) / (b - a)), "4/h"], [Math.log10((40 * state.n) / (b - a)), "40/h"]]);
      judge();
      drawPlane();
      drawChart();
    }

    function judge() {
      const { guarantee: [g], bars: [bars], error: [error] } = shown, tails = (g - bars) / g;
      const [kind, title, text] = bars === 0 ? ["good", "A constant.", "Every bump has the same height, and they add up to it everywhere."]
        : tails < 0.02 ? ["good", "Sharp enough.", "The tails of the sigmoids take less than 2% of the guarantee. Only more bumps make it smaller."]
        : tails < 0.34 ? ["slow", "A little soft.", `The tails take ${Math.round(100 * tails)}% of the guarantee; more sharpness lowers it to Lh/2.`]
        : ["bad", "Too soft for so many bumps.", `The tails reach over several bars and take ${Math.round(100 * tails)}% of the guarantee.`];
      const used = bars > 0 && error > 0.995 * g ? " This target uses all of it: no better promise is possible." : "";
      verdict.className = `mx-verdict mx-verdict--${kind}`;
      verdict.replaceChildren(h("strong", {}, title), ` ${text}${used}`);
      if (hand.dragged === null) voice.say(`${state.n} bumps: error ${MX.text(error)}, guaranteed ${MX.text(g)}. ${title}`);
    }

    /* Pictures */
    const along = values => Array.from(values, (_, k) => a + ((b - a) * k) / (values.length - 1));
    function drawPlane() {
      const width = frame.clientWidth;
      if (!width) return;
      const height = clamp(0.56 * width, 230, 330), grid = along(shown.network), g = shown.guarantee[0];
      const { X, Y, inside } = MX.axes(plane, {
        width, height, bottom: 24,
        x: { from: a - 0.02, to: b + 0.02, ticks: [0, 0.25, 0.5, 0.75, 1] }, y: { from: -1.2, to: 1.2, ticks: [-1, 0, 1] },
      });
      scale = { left: X(a), top: Y(1), x: (X(b) - X(a)) / (b - a), y: Y(0) - Y(1) };
      const from = Array.from(shown.target), edge = sign => from.map(v => clamp(v + sign * g, -9, 9));
      const area = (above, below) => `${MX.curve(grid, above, X, Y)}${MX.curve([...grid].reverse(), [...below].reverse(), X, Y).replace("M", "L")}Z`;
      inside.append(s("path", { class: "mx-bumps__band", d: area(edge(1), edge(-1)) }));
      for (let i = 0; i < state.n; i++) {
        const bump = shown.bumps.subarray(i * grid.length, (i + 1) * grid.length);
        const top = Array.from(bump, v => (Math.abs(v) > 4e-3 ? v : NaN));
        inside.append(s("path", { class: "mx-bumps__one", d: area(bump, bump.map(() => 0)) }), s("path", { class: "mx-bumps__edge", d: MX.curve(grid, top, X, Y) }));
      }
      inside.append(
        s("path", { class: "mx-bumps__target", d: MX.curve(x, y, X, Y) }),
        s("path", { class: "mx-curve mx-stroke1", d: MX.curve(grid, shown.network, X, Y) }));
      const points = Array.from(x, (p, i) => s("g", {
        class: "mx-neuron__point", tabindex: i === hand.chosen ? 0 : -1, role: "button", "data-point": i,
        "aria-label": `Point ${i + 1} of ${x.length}: x = ${MX.short(p, 3)}, f = ${MX.short(y[i], 3)}. Arrow keys move it, Page Up and Page Down choose another.`,
      }, s("circle", { class: "mx-neuron__touch", cx: X(p), cy: Y(y[i]), r: 16 }), s("circle", { class: "mx-dot mx-fill2", cx: X(p), cy: Y(y[i]), r: 6 })));
      plane.append(s("g", {}, points));
      if (hand.refocus) points[hand.chosen].focus({ preventScroll: true });
    }

    function drawChart() {
      const width = chartFrame.clientWidth;
      if (!width) return;
      const g = Math.max(shown.guarantee[0], 1e-6), text = v => (v ? MX.text(v, 2) : "0");
      const { X, Y, inside } = MX.axes(chart, {
        width, height: 130, left: 52, bottom: 24,
        x: { from: a - 0.02, to: b + 0.02, ticks: [0, 0.25, 0.5, 0.75, 1] }, y: { from: -1.25 * g, to: 1.25 * g, ticks: [-g, 0, g], text },
      });
      for (const v of [-g, g]) inside.append(s("path", { class: "mx-curve mx-curve--thin mx-dashed mx-stroke3", d: `M${X(a)},${Y(v)}H${X(b)}` }));
      inside.append(s("path", { class: "mx-curve mx-curve--thin mx-stroke1", d: MX.curve(along(shown.off), shown.off, X, Y) }));
      chart.setAttribute("aria-label", `Network minus target: at most ${MX.text(shown.error[0])}, guaranteed ${MX.text(shown.guarantee[0])}`);
    }

    /* Moving points: pointer and keys */
    function move(i, to) {
      const snap = v => Math.round(GRID * v) / GRID, last = x.length - 1;
      if (i > 0 && i < last) x[i] = clamp(snap(to[0]), x[i - 1] + GAP, x[i + 1] - GAP);
      y[i] = clamp(snap(to[1]), -1, 1);
      draw();
    }
    const hand = MX.points(plane, {
      count: () => x.length, at: i => [x[i], y[i]], step: event => (event.shiftKey ? 0.1 : 0.02), move, draw, chosen: 2,
      place: event => {
        const box = plane.getBoundingClientRect();
        return [a + (event.clientX - box.left - scale.left) / scale.x, 1 - (event.clientY - box.top - scale.top) / scale.y];
      },
    });

    choose(state.target);
    draw();
    MX.redraw(frame, draw);

    /** What the page shows for each case that JAX computed. */
    mount.check = () => {
      const before = { ...state, x, y }, pairs = {};
      for (const of of data.references) {
        Object.assign(state, { n: of.n, c: of.sharpness });
        choose(of.target);
        draw();
        const name = `${of.target}, N ${of.n}, c ${of.sharpness}`;
        for (const [key, value] of Object.entries(of.numbers)) pairs[`${name}: ${key}`] = [numbers[key].value(), value];
        for (const [key, values] of Object.entries(of.curves)) {
          values.forEach((v, k) => { if (Math.abs(v) > 1e-2) pairs[`${name}: ${key} ${k}`] = [shown[key][data.places[k]], v]; });
        }
      }
      ({ x, y } = before);
      Object.assign(state, { target: before.target, n: before.n, c: before.c });
      draw();
      return pairs;
    };
  });
})();
