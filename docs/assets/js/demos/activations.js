/* Explorer of activation functions: the curves of σ and σ′, a point to move along them, and the package's facts. */
(function () {
  "use strict";
  const { h, s } = MX;
  const FLAT = 0.05;  // a slope below this is shaded
  const JUMP = 0.08;  // more than any continuous σ or σ′ changes between two points of the grid

  MX.demo("activations", (root, data, mount) => {
    const [from, to, count] = data.grid;
    const grid = Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
    const entries = Object.fromEntries(data.activations.map(entry => [entry.name, entry]));
    const run = Object.fromEntries(Object.entries(data.programs).map(([name, program]) => [name, MX.compile(program)]));
    const state = { name: "tanh", other: "", stop: 0, z: 0.8 };

    /** σ or σ′ on the grid and, last, at the reader's point. */
    function evaluate(name, part, stop, z) {
      const points = Float32Array.from([...grid, z]), { alphas } = entries[name];
      return Array.from(run[`${name}.${part}`](points, ...(alphas.length ? [alphas[stop]] : []))[0]);
    }

    /* Controls */
    const names = data.activations.map(entry => entry.name);
    const which = MX.select("Activation", names, name => { state.name = name; state.stop = entries[name].start; settle(); });
    const other = MX.select("Compare with", [["", "none"], ...names], name => { state.other = name; draw(); });
    const alpha = MX.slider("α", { min: 0, max: 7, step: 1, value: 0, text: i => String(entries[state.name].alphas[i] ?? ""), on: i => { state.stop = i; draw(); } });
    const point = MX.slider("z", { min: from, max: to, step: 0.05, value: state.z, text: v => v.toFixed(2).replace("-", "−"), on: z => { state.z = z; draw(); } });

    /* Display */
    const plot = s("svg", { class: "mx-plot mx-plot--drag", role: "img" });
    const frame = h("div", { class: "mx-frame" }, plot);
    const value = MX.number({ class: "mx-number mx-forward" }), slope = MX.number({ class: "mx-number mx-backward" });
    const facts = h("dl", { class: "mx-facts" }), verdict = h("p", { class: "mx-demo__note" }), voice = MX.voice();
    const key = MX.key(["mx-key__line mx-forward", "σ(z)"], ["mx-key__line mx-key__line--dashed mx-backward", "σ′(z)"], ["mx-key__shade", `flat: |σ′(z)| < ${FLAT}`], ["mx-key__line mx-color6", "compared"]);
    const heading = h("p", { class: "mx-heading" });
    root.append(
      h("div", { class: "mx-bar" }, which.root, alpha.root, other.root),
      h("div", { class: "mx-cols mx-cols--wide" },
        h("div", {}, frame, point.root, key),
        h("div", {},
          heading,
          h("div", { class: "mx-readout" },
            h("div", {}, h("span", { class: "mx-readout__name" }, "value σ(z)"), value),
            h("div", {}, h("span", { class: "mx-readout__name" }, "slope σ′(z)"), slope)),
          verdict, facts)),
      voice);

    function settle() {
      const { alphas } = entries[state.name];
      alpha.root.hidden = !alphas.length;
      alpha.input.max = Math.max(0, alphas.length - 1);
      alpha.value = state.stop;
      draw();
    }

    let X = null;
    function draw() {
      const width = frame.clientWidth;
      if (!width) return;
      const entry = entries[state.name], member = entry.members[state.stop] || entry.members[0];
      const sigma = evaluate(state.name, "fn", state.stop, state.z), prime = evaluate(state.name, "prime", state.stop, state.z);
      const a = sigma[count], m = prime[count], z = state.z;
      value.show(a, 4);
      slope.show(m, 4);
      const height = Math.max(260, Math.min(400, width * 0.55));
      const axes = MX.axes(plot, {
        width, height, bottom: 24,
        x: { from, to, ticks: [-4, -2, 0, 2, 4] }, y: { from: -1.5, to: 3, ticks: [-1, 0, 1, 2, 3] },
      });
      X = axes.X;
      const { Y, inside } = axes;
      inside.append(...flats(prime).map(([l, r]) => s("rect", { class: "mx-shade", x: X(l), width: X(r) - X(l), y: 0, height })));
      key.lastChild.hidden = !state.other;
      if (state.other) {
        const stop = entries[state.other].start;
        inside.append(
          s("path", { class: "mx-curve mx-curve--thin mx-dashed mx-stroke6", d: MX.curve(grid, evaluate(state.other, "prime", stop, z).slice(0, count), X, Y, JUMP) }),
          s("path", { class: "mx-curve mx-curve--thin mx-stroke6", d: MX.curve(grid, evaluate(state.other, "fn", stop, z).slice(0, count), X, Y, JUMP) }));
      }
      const dx = 1.3 / Math.hypot(1, m);
      inside.append(
        s("path", { class: "mx-curve mx-dashed mx-stroke2", d: MX.curve(grid, prime.slice(0, count), X, Y, JUMP) }),
        s("path", { class: "mx-curve mx-stroke1", d: MX.curve(grid, sigma.slice(0, count), X, Y, JUMP) }),
        s("path", { class: "mx-drop", d: `M${X(z)},${Y(-1.5)}V${Y(3)}` }),
        s("path", { class: "mx-tangent", d: `M${X(z - dx)},${Y(a - m * dx)}L${X(z + dx)},${Y(a + m * dx)}` }),
        s("circle", { class: "mx-dot mx-fill2", cx: X(z), cy: Y(m), r: 5 }),
        s("circle", { class: "mx-halo mx-fill1", cx: X(z), cy: Y(a), r: 14 }),
        s("circle", { class: "mx-dot mx-fill1", cx: X(z), cy: Y(a), r: 7 }));
      const flat = Math.abs(m) < FLAT;
      verdict.replaceChildren(
        flat ? "Flat here: the factor that " : "An error that passes this unit on its way back is multiplied by ",
        ...(flat ? [MX.ref("BP2"), " puts on an error that passes back is only ", MX.text(m, 2), "."] : [MX.text(m, 3), " (", MX.ref("BP2"), ")."]));
      plot.setAttribute("aria-label", `${title(entry)} and its derivative for z from ${from} to ${to}, with the tangent at z = ${MX.text(z)}`);
      voice.say(`${title(entry)} at z = ${MX.text(z)}: value ${MX.text(a)}, slope ${MX.text(m)}${flat ? ", flat" : ""}`);
      showFacts(entry, member);
    }

    const title = entry => entry.name + (entry.alphas.length ? ` with α = ${entry.alphas[state.stop]}` : "");

    /** Intervals of the grid where the slope is small. */
    function flats(prime) {
      const found = [];
      for (let i = 0; i < count; i++) {
        if (Math.abs(prime[i]) >= FLAT) continue;
        const start = i;
        while (i + 1 < count && Math.abs(prime[i + 1]) < FLAT) i++;
        found.push([grid[start], grid[i]]);
      }
      return found;
    }

    function showFacts(entry, member) {
      const [low, high] = member.range;
      heading.replaceChildren(title(entry), " ", MX.ref(entry.row));
      const rows = [
        ["inf, sup of σ", `${low === null ? "−∞" : MX.short(low)}, ${high === null ? "∞" : MX.short(high)}`],
        ["sup of |σ′|", MX.short(member.lipschitz)],
        ["flattens", { both: "on both sides", left: "on the left", right: "on the right" }[member.saturates] || "nowhere"],
        ["monotone", member.monotone ? "yes" : "no"],
        ["smooth", { "∞": "has all derivatives", 0: "continuous, with a kink", 1: "derivative continuous" }[member.smooth]],
        ["advantage", entry.advantage],
        ["drawback", entry.drawback],
      ];
      facts.replaceChildren(...rows.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
    }

    /* The point follows a finger or the mouse; keys move it by the slider. */
    function follow(event) {
      const box = plot.getBoundingClientRect(), left = X(from), right = X(to);
      const z = from + ((to - from) * (event.clientX - box.left - left)) / (right - left);
      state.z = point.value = Math.round(20 * Math.max(from, Math.min(to, z))) / 20;
      draw();
    }
    plot.addEventListener("pointerdown", event => { plot.setPointerCapture(event.pointerId); follow(event); });
    plot.addEventListener("pointermove", event => { if (plot.hasPointerCapture(event.pointerId)) follow(event); });

    which.value = state.name;
    settle();
    MX.redraw(frame, draw);

    /** Every activation at the probes: what the page shows, and what JAX computed. */
    mount.check = () => {
      const before = { ...state }, pairs = {};
      for (const entry of data.activations) {
        entry.members.forEach((member, stop) => data.probes.forEach((z, k) => {
          Object.assign(state, { name: entry.name, stop, z });
          draw();
          pairs[`${entry.name}[${stop}](${z})`] = [value.value(), member.value[k]];
          pairs[`${entry.name}[${stop}]′(${z})`] = [slope.value(), member.slope[k]];
        }));
      }
      Object.assign(state, before);
      settle();
      return pairs;
    };
  });
})();
