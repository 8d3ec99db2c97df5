/* XOR by hand: two hidden units whose lines the reader turns and moves, and the output neuron that combines them. */
(function () {
  "use strict";
  const { h, s } = MX;
  const STEEP = [1, 2, 3, 4, 6, 8, 12, 16, 24], HUES = ["var(--c4)", "var(--c3)"];  // of the two units

  MX.demo("layer", (root, data, mount) => {
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const names = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, program.names]));
    const { side, edge } = data, whole = 1 + 2 * edge;
    const tick = i => -edge + (whole * i) / (side - 1);
    const plane = Float32Array.from({ length: 2 * side * side }, (_, n) => {  // the first row of the map is its top
      const row = Math.floor(n / 2 / side), column = Math.floor(n / 2) % side;
      return n % 2 ? tick(side - 1 - row) : tick(column);
    });
    const corners = Float32Array.from(data.x.flat());
    const state = { turns: [0, 0], shifts: [0, 0], output: [0, 0, 0], kind: "step", steepness: 8 };

    /** Outputs of a program by name, copied: the interpreter reuses its buffers. */
    function results(kind, points, name) {
      const more = kind === "smooth" ? [state.steepness] : [];
      const out = run[name](Float32Array.from(state.turns), Float32Array.from(state.shifts), Float32Array.from(state.output), points, ...more);
      return Object.fromEntries(names[name].map((key, i) => [key, out[i].slice()]));
    }

    /* Controls */
    const units = [0, 1].map(i => ({
      turn: MX.slider(`Direction of h${"₁₂"[i]}`, { min: -180, max: 180, step: 5, value: 0, text: v => `${MX.short(v)}°`, on: v => { state.turns[i] = v; draw(); } }),
      shift: MX.slider(`Shift of h${"₁₂"[i]}`, { min: -1, max: 1, step: 0.05, value: 0, text: v => MX.short(v), on: v => { state.shifts[i] = v; draw(); } }),
    }));
    const outputs = ["v₁, weight of h₁", "v₂, weight of h₂", "c, bias"].map((label, i) => MX.slider(label, {
      min: -2, max: 2, step: 0.25, value: 0, text: v => MX.short(v), on: v => { state.output[i] = v; draw(); },
    }));
    const kind = MX.select("Kind of unit", [["step", "step"], ["smooth", "sigmoid"]], v => { state.kind = v; draw(); });
    const steep = MX.slider("Steepness", { min: 0, max: STEEP.length - 1, step: 1, value: STEEP.indexOf(8), text: i => String(STEEP[i]), on: i => { state.steepness = STEEP[i]; draw(); } });
    const teams = data.teams.map(team => MX.button(team.name, () => set(team)));

    function set({ turns, shifts, output }) {
      Object.assign(state, { turns: [...turns], shifts: [...shifts], output: [...output] });
      units.forEach((unit, i) => { unit.turn.value = turns[i]; unit.shift.value = shifts[i]; });
      outputs.forEach((slider, i) => { slider.value = output[i]; });
      draw();
    }

    /* Display */
    const map = h("canvas", { width: side, height: side, class: "mx-map__colors" });
    const lines = s("svg", { viewBox: "0 0 100 100", class: "mx-map__lines", "aria-hidden": "true" });
    const picture = h("div", { class: "mx-map", role: "img", style: "touch-action: pan-y; cursor: grab" }, map, lines);
    const cells = data.x.map(() => [MX.number(), MX.number(), MX.number()]), said = data.x.map(() => h("td", { style: "white-space: nowrap" }));
    const rows = data.x.map((x, i) => h("tr", {}, h("th", { scope: "row" }, data.dishes[i]), h("td", {}, data.y[i] ? "yes" : "no"),
      ...cells[i].map(cell => h("td", {}, cell)), said[i]));
    const right = MX.number({ class: "mx-number" }), voice = MX.voice();
    root.append(
      h("div", { class: "mx-bar" }, ...teams, kind.root, steep.root),
      h("div", { class: "mx-cols mx-cols--even" },
        h("div", {}, picture, MX.key(
          ["mx-key__dot mx-key__dot--round mx-back1", "liked"], ["mx-key__dot mx-back2", "not liked"],
          ["mx-key__line mx-layer-h1", "h₁"], ["mx-key__line mx-layer-h2", "h₂, fires where its arrow points"]),
          h("p", { class: "mx-demo__note" }, "Drag a line to move it, the tip of its arrow to turn it, or use the sliders.")),
        h("div", {},
          ...units.flatMap(unit => [unit.turn.root, unit.shift.root]), ...outputs.map(slider => slider.root),
          h("table", { class: "mx-table" },
            h("thead", {}, h("tr", {}, ...["dish", "liked", "h₁", "h₂", "z", "answer"].map(t => h("th", { scope: "col" }, t)))),
            h("tbody", {}, rows)),
          h("p", { style: "margin-top: .5rem" }, right, " of 4 answers are right"))),
      voice);
    root.querySelectorAll(".mx-cols label").forEach(label => { label.style.minWidth = "6.4rem"; });
    root.querySelectorAll("[class*=mx-layer-h]").forEach((mark, j) => { mark.style.color = HUES[j]; });

    function draw() {
      steep.root.hidden = state.kind === "step";
      const out = results(state.kind, corners, `${state.kind}Corners`);
      let good = 0;
      data.y.forEach((y, i) => {
        const [first, second, z] = [out.units[i], out.units[4 + i], out.z[i]];
        [first, second, z].forEach((value, k) => {
          cells[i][k].show(value, 3).textContent = state.kind === "step" ? MX.short(value) : value.toFixed(2).replace("-", "−");
        });
        const answer = out.answer[i], fits = (answer >= 0.5) === (y === 1);
        good += fits;
        said[i].className = fits ? "mx-right" : "mx-wrong";
        said[i].textContent = `${state.kind === "step" ? (answer ? "yes" : "no") : answer.toFixed(2)} ${fits ? "✓" : "✗"}`;
      });
      right.textContent = String(good);
      right.dataset.value = String(good);
      drawMap(good);
      voice.say(`${good} of four answers are right.`);
    }

    let handles = [];
    const line = j => `fill: none; stroke: ${HUES[j]}; stroke-width: 1.1`;

    function drawMap(good) {
      const { lines: borders, answer } = results(state.kind, plane, state.kind);
      const geometry = results("step", corners, "stepCorners");
      const low = MX.rgb(root, "--c2"), high = MX.rgb(root, "--c1"), paper = MX.rgb(root, "--md-default-bg-color");
      const brush = map.getContext("2d"), image = brush.createImageData(side, side);
      answer.forEach((p, i) => {
        const color = p >= 0.5 ? high : low, strength = 0.4 * Math.min(1, Math.abs(2 * p - 1));
        for (let k = 0; k < 3; k++) image.data[4 * i + k] = paper[k] * (1 - strength) + color[k] * strength;
        image.data[4 * i + 3] = 255;
      });
      brush.putImageData(image, 0, 0);
      const unit = 100 / (side - 1), X = v => (100 * (v + edge)) / whole, Y = v => 100 - X(v);
      handles = [0, 1].map(j => ({ foot: [...geometry.foot.slice(2 * j, 2 * j + 2)], tip: [...geometry.tip.slice(2 * j, 2 * j + 2)] }));
      lines.replaceChildren(
        ...handles.flatMap(({ foot, tip }, j) => [
          s("path", { style: line(j), d: MX.contour(borders.subarray(j * side * side, (j + 1) * side * side), side, 0, unit) }),
          s("path", { style: line(j), d: `M${X(foot[0])},${Y(foot[1])}L${X(tip[0])},${Y(tip[1])}` }),
          s("circle", { style: `fill: ${HUES[j]}`, cx: X(tip[0]), cy: Y(tip[1]), r: 2 }),
        ]),
        ...data.x.map(([a, b], i) => data.y[i]
          ? s("circle", { class: "mx-map__point mx-fill1", cx: X(a), cy: Y(b), r: 3.2 })
          : s("rect", { class: "mx-map__point mx-fill2", x: X(a) - 2.9, y: Y(b) - 2.9, width: 5.8, height: 5.8 })),
        ...data.x.map(([a, b], i) => s("text", { style: "font-size: 5px; fill: var(--ink)", x: X(a), y: Y(b) + (b ? -5 : 8.5), "text-anchor": "middle" }, data.dishes[i])));
      picture.setAttribute("aria-label", `The square of dishes, colored by the answer, with the lines of two hidden units; ${good} of the four answers are right`);
    }

    /* Mouse and touch: an arrow's tip turns its unit, its line moves it. The sliders do the same from the keyboard. */
    const at = event => {
      const box = picture.getBoundingClientRect();
      return [-edge + (whole * (event.clientX - box.left)) / box.width, 1 + edge - (whole * (event.clientY - box.top)) / box.height];
    };
    const along = (j, p) => handles[j].tip.reduce((sum, t, k) => sum + ((t - handles[j].foot[k]) * (p[k] - 0.5)) / data.arrow, 0);
    let held = null;
    picture.addEventListener("pointerdown", event => {
      const p = at(event);
      const found = [0, 1].flatMap(j => [
        { j, turns: true, far: Math.hypot(p[0] - handles[j].tip[0], p[1] - handles[j].tip[1]) - 0.06 },
        { j, turns: false, far: Math.abs(along(j, p) - state.shifts[j]) },
      ]).sort((a, b) => a.far - b.far)[0];
      if (found.far > 0.12) return;
      held = found;
      picture.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    picture.addEventListener("pointermove", event => {
      if (!held) return;
      const p = at(event), { j } = held, { turn, shift } = units[j];
      if (held.turns) turn.value = (180 / Math.PI) * Math.atan2(p[1] - handles[j].foot[1], p[0] - handles[j].foot[0]);
      else shift.value = along(j, p);
      state.turns[j] = turn.value;
      state.shifts[j] = shift.value;
      draw();
    });
    for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { held = null; });

    set(data.teams[0]);
    MX.redraw(picture, draw);

    /** The table at every setting with a reference, beside what numpy computes. */
    mount.check = () => {
      const before = structuredClone(state), pairs = {};
      for (const [k, r] of data.references.entries()) {
        Object.assign(state, { kind: r.steepness === null ? "step" : "smooth", steepness: r.steepness ?? 8 });
        set(r);
        r.rows.forEach((row, i) => {
          cells[i].forEach((cell, c) => { pairs[`setting ${k}, ${data.dishes[i]}, column ${c}`] = [cell.value(), row[c]]; });
        });
      }
      Object.assign(state, { kind: before.kind, steepness: before.steepness });
      set(before);
      return pairs;
    };
  });
})();
