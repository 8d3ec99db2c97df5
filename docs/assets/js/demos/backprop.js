/* One forward and one backward pass, number by number, in a network with two inputs, two hidden units, two outputs. */
(function () {
  "use strict";
  const { h, s } = MX;
  const UP = ["", "⁽¹⁾", "⁽²⁾"];
  const TWO = [0, 1];

  /* Quantities are named by strings: "z1.0" is z of layer 1, unit 1; "w2.0.1" the weight to output 1 from hidden unit 2. */
  const name = (kind, layer, ...at) => [`${kind}${layer}`, ...at].join(".");

  MX.demo("backprop", (root, data, mount) => {
    const run = MX.compile(data.programs.pass);
    const initial = () => ({
      params: data.params.map(layer => ({ W: layer.W.map(row => [...row]), b: [...layer.b] })),
      x: [...data.x], y: [...data.y], rate: data.rate,
    });
    let state = initial(), values = {}, now = 0, taken = 0;

    /** Run the package's program; every quantity under its name. */
    function compute() {
      const leaves = state.params.flatMap(layer => [layer.W.flat(), layer.b]);
      const out = Object.fromEntries(run(...leaves, state.x, state.y, state.rate).map((a, k) => [run.names[k], Array.from(a)]));
      values = { C: out.loss[0], C2: out.new_loss[0] };
      TWO.forEach(j => { values[name("a", 0, j)] = state.x[j]; values[name("y", 2, j)] = state.y[j]; });
      for (const l of [1, 2]) {
        for (const i of TWO) {
          for (const [kind, key] of [["z", "z"], ["a", "a"], ["p", "prime"], ["d", "delta"]]) values[name(kind, l, i)] = out[`${key}/${l - 1}`][i];
          values[name("b", l, i)] = state.params[l - 1].b[i];
          values[name("gb", l, i)] = out[`grads/${l - 1}/b`][i];
          values[name("nb", l, i)] = out[`new/${l - 1}/b`][i];
          for (const j of TWO) {
            values[name("w", l, i, j)] = state.params[l - 1].W[i][j];
            values[name("gw", l, i, j)] = out[`grads/${l - 1}/W`][2 * i + j];
            values[name("nw", l, i, j)] = out[`new/${l - 1}/W`][2 * i + j];
          }
        }
      }
    }

    /* ---- The steps ---- */

    const unit = (l, i) => (l === 0 ? `input ${i + 1}` : l === 1 ? `hidden unit ${i + 1}` : `output ${i + 1}`);
    const letters = { z: "z", a: "a", d: "δ", w: "w", b: "b", y: "y", p: "σ′" };
    /** A quantity as a letter with its marks: "z1.0" is z₁⁽¹⁾. */
    function letter(key) {
      if (key[0] === "C") return MX.letter("C");
      const [, kind, l, at] = key.match(/^([a-z]+)(\d)\.(.*)$/), below = at.split(".").map(i => Number(i) + 1).join("");
      if (kind === "a" && l === "0") return MX.letter("x", below);
      if (kind === "y") return MX.letter("y", below);
      if (kind === "p") return [MX.letter("σ′"), "(", letter(`z${l}.${at}`), ")"];
      if (kind[0] === "g") return ["∂", MX.letter("C"), "/∂", letter(`${kind[1]}${l}.${at}`)];
      return MX.letter(letters[kind], below, `(${l})`);
    }

    const steps = [];
    const add = (phase, tag, key, words, formula) => steps.push({ phase, tag, key, words, formula });
    const forward = (l, i) => {
      const terms = TWO.flatMap(j => [name("w", l, i, j), "·", name("a", l - 1, j), "+"]);
      add("Forward", "FWD1", name("z", l, i), `Pre-activation of ${unit(l, i)}: what comes in, weighted, plus the bias.`, [...terms, name("b", l, i)]);
    };
    const activate = (l, i) => add("Forward", "FWD2", name("a", l, i),
      l === 1 ? `Activation of ${unit(l, i)}: the sigmoid of its pre-activation.` : `Answer of ${unit(l, i)}: the sigmoid that belongs to the loss.`, ["σ(", name("z", l, i), ")"]);
    for (const l of [1, 2]) { TWO.forEach(i => forward(l, i)); TWO.forEach(i => activate(l, i)); }
    add("Forward", "LOS2", "C", "Loss of this example: half the squared distance from answers to targets.",
      ["½(", name("a", 2, 0), "−", name("y", 2, 0), ")²", "+", "½(", name("a", 2, 1), "−", name("y", 2, 1), ")²"]);
    for (const i of TWO) {
      add("Backward", "BP1", name("d", 2, i), `Error of ${unit(2, i)}: how much C changes per unit of its z. The slope in a, times σ′.`,
        ["(", name("a", 2, i), "−", name("y", 2, i), ")", "·", name("p", 2, i)]);
    }
    for (const j of TWO) {
      add("Backward", "BP2", name("d", 1, j), `Error of ${unit(1, j)}: the errors it has caused, through the weights that lead there, times σ′.`,
        ["(", name("w", 2, 0, j), "·", name("d", 2, 0), "+", name("w", 2, 1, j), "·", name("d", 2, 1), ")", "·", name("p", 1, j)]);
    }
    for (const l of [2, 1]) {
      for (const i of TWO) {
        for (const j of TWO) {
          add("Gradients", "BP3", name("gw", l, i, j), `Gradient in the weight from ${unit(l - 1, j)} to ${unit(l, i)}: error at its end times signal at its start.`,
            [name("d", l, i), "·", name("a", l - 1, j)]);
        }
      }
      TWO.forEach(i => add("Gradients", "BP4", name("gb", l, i), `Gradient in the bias of ${unit(l, i)}: the error itself.`, [name("d", l, i)]));
    }
    add("Descend", "GD1", "C2", "Every weight and bias moves by −η times its gradient. The loss of the same example, computed anew:", null);
    const phases = ["Forward", "Backward", "Gradients", "Descend"];
    /** Which color a quantity has: what is given, forward, backward, gradient, or the new loss. */
    const color = key => (key === "C2" ? "new" : /^[ybw]|^a0/.test(key) ? "given" : { g: "grad", d: "back" }[key[0]] || "fore");
    const position = Object.fromEntries(steps.map((step, k) => [step.key, k]));

    /* ---- Controls ---- */

    const previous = MX.button("← Back", () => go(now - 1)), next = MX.button("Next →", () => go(now + 1), "main");
    const jumps = phases.map(phase => MX.button(phase, () => go(steps.findIndex(step => step.phase === phase)), "tab"));
    const progress = MX.slider("Step", { min: 1, max: steps.length, step: 1, value: 1, text: k => `${k} of ${steps.length}`, on: k => go(k - 1) });
    const number = (label, min, max, step, get, set) => {
      const slider = MX.slider(label, { min, max, step, value: get(), text: v => v.toFixed(2).replace("-", "−"), on: v => { set(v); refresh(); } });
      slider.sync = () => { slider.value = get(); };
      return slider;
    };
    const all = [1, 2].flatMap(l => TWO.flatMap(i => TWO.map(j => [`${l}${i}${j}`, `w${UP[l]} from ${unit(l - 1, j)} to ${unit(l, i)}`])));
    let chosen = [0, 0, 0];
    const which = MX.select("Weight", all, v => { chosen = [v[0] - 1, +v[1], +v[2]]; weight.sync(); });
    const weight = number("its value", -3, 3, 0.05, () => state.params[chosen[0]].W[chosen[1]][chosen[2]], v => { state.params[chosen[0]].W[chosen[1]][chosen[2]] = v; });
    const sliders = [
      ...TWO.map(j => number(`input x${"₁₂"[j]}`, -2, 2, 0.05, () => state.x[j], v => { state.x[j] = v; })),
      ...TWO.map(j => number(`target y${"₁₂"[j]}`, 0, 1, 0.05, () => state.y[j], v => { state.y[j] = v; })),
      number("learning rate η", 0.1, 10, 0.1, () => state.rate, v => { state.rate = v; }),
    ];
    const take = MX.button("Take this step", () => {
      state.params = state.params.map((layer, l) => ({
        W: TWO.map(i => TWO.map(j => values[name("nw", l + 1, i, j)])), b: TWO.map(i => values[name("nb", l + 1, i)]),
      }));
      taken++;
      weight.sync();
      refresh();
    }, "main");
    const reset = MX.button("Reset", () => { state = initial(); taken = 0; [...sliders, weight].forEach(slider => slider.sync()); now = 0; refresh(); });

    /* ---- Display ---- */

    const picture = s("svg", { class: "mx-plot mx-net", role: "img" }), frame = h("div", { class: "mx-frame" }, picture);
    const tag = h("span", { class: "mx-step__tag" }), words = h("p", { class: "mx-step__words" });
    const lines = h("div", { class: "mx-step__lines" }), result = MX.number(), voice = MX.voice();
    const card = h("div", { class: "mx-step" }, h("div", { class: "mx-step__head" }, tag, words), lines, take);
    const stage = h("div", { class: "mx-stage", tabindex: "0", role: "group", "aria-label": "One pass, step by step. Arrow keys left and right." }, frame, card);
    root.append(
      h("div", { class: "mx-bar" }, previous, next, reset, h("div", { class: "mx-tabs" }, ...jumps)),
      progress.root, stage,
      MX.key(["mx-key__dot mx-back0", "given: x, y, w, b"], ["mx-key__dot mx-back1", "forward: z, a, C"], ["mx-key__dot mx-back5", "backward: δ"],
        ["mx-key__dot mx-back4", "gradients ∂C/∂w, ∂C/∂b"]),
      h("div", { class: "mx-grid" }, ...sliders.map(slider => slider.root), which.root, weight.root),
      voice);
    root.addEventListener("keydown", event => {
      if (event.target.matches("input, select")) return;
      const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      go(now + move);
    });

    function go(step) {
      now = Math.max(0, Math.min(steps.length - 1, step));
      draw();
    }
    function refresh() {
      compute();
      draw();
    }

    const shown = key => MX.text(values[key]);
    const figure = key => {
      const text = shown(key);
      return h("span", { class: `mx-figure-number mx-is-${color(key)}`, "data-value": values[key] }, text.startsWith("−") ? `(${text})` : text);
    };
    const isKey = part => part in values;

    function draw() {
      const step = steps[now];
      progress.value = now + 1;
      previous.disabled = now === 0;
      next.disabled = now === steps.length - 1;
      jumps.forEach((button, k) => button.setAttribute("aria-pressed", phases[k] === step.phase));
      tag.replaceChildren(MX.ref(step.tag));
      words.textContent = step.words;
      card.className = `mx-step mx-is-${color(step.key)}`;
      take.hidden = step.key !== "C2";
      result.show(values[step.key], 4);
      result.className = `mx-number mx-step__result mx-is-${color(step.key)}`;
      if (step.formula) {
        const left = [letter(step.key)].flat();
        lines.replaceChildren(
          line(left, operator("="), ...step.formula.flatMap(part => (isKey(part) ? letter(part) : operator(part)))),
          line(operator("="), ...step.formula.map(part => (isKey(part) ? figure(part) : operator(part)))),
          line(operator("="), result));
      } else {
        lines.replaceChildren(
          line(MX.letter("w"), operator("←"), MX.letter("w"), operator("−"), MX.letter("η"), operator("·"), "∂", MX.letter("C"), "/∂", MX.letter("w"), h("span", { class: "mx-step__aside" }, `with η = ${MX.text(state.rate)}, for all 12 parameters at once`)),
          line(MX.letter("C"), h("span", { class: "mx-step__aside" }, "was "), figure("C"), h("span", { class: "mx-step__aside" }, "and becomes "), result, taken ? h("span", { class: "mx-step__aside" }, `(steps taken: ${taken})`) : ""));
      }
      voice.say(`Step ${now + 1} of ${steps.length}, ${step.tag}. ${step.words} ${MX.text(values[step.key])}`);
      drawNetwork();
    }
    const line = (...parts) => h("div", { class: "mx-step__line" }, ...parts);
    const operator = text => h("span", { class: "mx-operator" }, { "·": " · ", "+": " + ", "−": " − ", "=": " = ", "←": " ← " }[text] || text);

    /* ---- The network ---- */

    function drawNetwork() {
      const width = frame.clientWidth;
      if (!width) return;
      const step = steps[now], used = new Set((step.formula || []).filter(isKey));
      used.forEach(key => { if (key[0] === "p") used.add(key.replace("p", "z")); });
      const tall = width < 560, height = tall ? 596 : 312;
      const along = tall ? [30, 205, 435, 562] : [52, width * 0.37, width * 0.7, width - 50];
      const across = tall ? [width * 0.25, width * 0.75] : [80, 236];
      const place = (l, i) => (tall ? [across[i], along[l]] : [along[l], across[i]]);
      const known = key => !(key in position) || position[key] <= now;
      const mark = key => `${key === step.key ? "is-now" : used.has(key) ? "is-used" : ""}`;
      const entry = (key, symbol, x, y, w) => s("g", { class: `mx-entry mx-is-${color(key)} ${mark(key)}` },
        s("rect", { x: x - w / 2, y: y - 9, width: w, height: 18, rx: 3 }),
        symbol ? s("text", { x: x - w / 2 + 6, y: y + 4.5, class: "mx-symbol" }, symbol) : "",
        s("text", { x: x + w / 2 - 5, y: y + 4.5, "text-anchor": "end", class: known(key) ? "" : "is-open" }, known(key) ? shown(key) : "·"));
      const parts = [], edges = [], labels = [];
      const where = tall ? [, [0.27, 0.5, 0.38], [0.37, 0.57, 0.47]] : [, [0.36, 0.36, 0.4], [0.36, 0.36, 0.4]];  // labels on their edges
      for (const l of [1, 2]) {
        for (const i of TWO) {
          for (const j of TWO) {
            const [x0, y0] = place(l - 1, j), [x1, y1] = place(l, i), t = where[l][i === j ? 2 : j];
            const w = name("w", l, i, j), g = name("gw", l, i, j), active = [w, g].some(key => mark(key));
            edges.push(s("path", { class: `mx-edge ${active ? `is-active mx-is-${color(mark(g) ? g : step.key)}` : ""}`, d: `M${x0},${y0}L${x1},${y1}` }));
            const aside = tall && i === j ? (i ? 24 : -24) : 0;  // on a phone, labels of straight edges make room
            const x = x0 + t * (x1 - x0) + aside, y = y0 + t * (y1 - y0), two = known(g);
            labels.push(entry(w, "", x, two ? y - 9 : y, 50));
            if (two) labels.push(entry(g, "", x, y + 9, 56));
          }
        }
      }
      for (const i of TWO) {
        const [x0, y0] = place(2, i), end = tall ? [width / 2, along[3]] : [along[3], (across[0] + across[1]) / 2];
        edges.push(s("path", { class: `mx-edge mx-edge--loss ${["C", "C2"].includes(step.key) ? "is-active mx-is-fore" : ""}`, d: `M${x0},${y0}L${end[0]},${end[1]}` }));
      }
      const box = (x, y, w, rows, title) => {
        const tallness = 19 * rows.length + 24, top = y - tallness / 2;
        parts.push(s("rect", { class: "mx-unit", x: x - w / 2, y: top, width: w, height: tallness, rx: 6 }),
          s("text", { class: "mx-unit__title", x, y: top + 15, "text-anchor": "middle" }, title),
          ...rows.map(([key, symbol], k) => entry(key, symbol, x, top + 31 + 19 * k, w - 10)));
      };
      for (const i of TWO) {
        box(...place(0, i), 84, [[name("a", 0, i), "x"]], `input ${i + 1}`);
        const bias = l => [[name("b", l, i), "b"], ...(known(name("gb", l, i)) ? [[name("gb", l, i), "∂b"]] : [])];
        box(...place(1, i), 110, [...bias(1), [name("z", 1, i), "z"], [name("a", 1, i), "a"], [name("d", 1, i), "δ"]], `hidden ${i + 1}`);
        box(...place(2, i), 110, [...bias(2), [name("z", 2, i), "z"], [name("a", 2, i), "a"], [name("y", 2, i), "y"], [name("d", 2, i), "δ"]], `output ${i + 1}`);
      }
      const loss = tall ? [width / 2, along[3]] : [along[3], (across[0] + across[1]) / 2];
      box(...loss, tall ? 110 : 92, now === steps.length - 1 ? [["C", "C"], ["C2", "new"]] : [["C", "C"]], "loss");
      picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      picture.setAttribute("height", height);
      picture.setAttribute("aria-label", `The network; highlighted: ${step.words}`);
      picture.replaceChildren(...edges, ...labels, ...parts);
    }

    compute();
    MX.redraw(frame, draw);
    if (!frame.clientWidth) draw();

    /** Numbers that the page shows for each reference setting, and what autodiff says. */
    mount.check = () => {
      const kept = [state, now], pairs = {};
      data.references.forEach((reference, r) => {
        state = initial();
        Object.assign(state, { x: [...reference.x], y: [...reference.y], rate: reference.rate });
        state.params[0].W[0][0] = reference.w;
        compute();
        steps.forEach((step, k) => {
          now = k;
          draw();
          const [, kind, l, at] = step.key.match(/^(d|gw|gb)(\d)\.(.*)$/) || [], layer = reference.grads[l - 1];
          const [i, j] = (at || "").split(".").map(Number);
          const wanted = { C: reference.loss, C2: reference.new_loss }[step.key] ?? { d: layer?.b[i], gb: layer?.b[i], gw: layer?.W[i]?.[j] }[kind];
          if (wanted !== undefined) pairs[`setting ${r}, ${step.key}`] = [result.value(), wanted];
        });
      });
      [state, now] = kept;
      refresh();
      return pairs;
    };
  });
})();
