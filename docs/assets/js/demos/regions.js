/* The linear regions of a network that learns in the page, by the package's traced step; where units switch on and off. */
(function () {
  "use strict";
  const { h, s } = MX;
  const LAST = 3000, FINE = 4, HASTE = { slow: 1 / 120, medium: 1 / 40, fast: 1 / 12 };  // steps per frame, of the steps so far
  const ZOOMS = [1, 3, 10, 30, 100], LINES = ["--ink", "--c3", "--c4"], TINTS = { "26": "--c1", "16": "--c3", "8 + 8": "--c2", "6 + 6 + 6": "--c4" };

  MX.demo("regions", (root, data, mount) => {
    const compiled = {};
    const run = (name, ...inputs) => (compiled[name] ??= MX.compile(data.programs[name]))(...inputs);
    const { side, marks, sets, nets } = data, cells = side - 1, count = side * side;
    const state = { set: Object.keys(sets)[0], net: data.names[0], start: 0, colors: "regions", speed: "medium", zoom: 1, at: null };
    let params, velocity, steps, past = {}, view, seen, blocks, ink = null, width = 0;

    const net = () => nets[state.net], set = () => sets[state.set];
    const points = Object.fromEntries(Object.entries(sets).map(([name, { x, y }]) => [name, [Float32Array.from(x.flat()), Float32Array.from(y)]]));
    const references = () => data.references[state.set][state.net][state.start];

    function reset() {
      loop.stop();
      params = net().starts[state.start].map(MX.decode);
      velocity = params.map(p => new Float32Array(p.length));
      steps = 0;
      past[state.net] = { xs: [], ys: [] };
      label();
      draw();
    }
    function afresh() {
      past = {};
      state.at = null;
      reset();
    }

    /** One step of training. */
    function train() {
      const out = run(`step ${state.net}`, ...params, ...velocity, ...points[state.set]);
      params.forEach((p, i) => p.set(out[i]));
      velocity.forEach((v, i) => v.set(out[params.length + i]));
      steps++;
    }

    /* Controls */
    const play = MX.button("Train", () => { loop.running ? loop.stop() : loop.start(); label(); if (!loop.running) draw(); }, "main");
    const one = MX.button("One step", () => { loop.stop(); train(); label(); draw(); });
    const again = MX.button("Reset", reset);
    const fresh = MX.button("New start", () => { state.start = (state.start + 1) % net().starts.length; afresh(); });
    const choice = MX.select("Hidden units", data.names, v => { state.net = v; reset(); });
    const problem = MX.select("Points", Object.keys(sets), v => { state.set = v; afresh(); });
    const colors = MX.select("Colors", [["regions", "by region"], ["answer", "by answer"]], v => { state.colors = v; draw(); });
    const speed = MX.select("Speed", Object.keys(HASTE), v => { state.speed = v; });
    const zoom = MX.slider("Zoom", { min: 0, max: ZOOMS.length - 1, step: 1, value: 0, text: i => `${ZOOMS[i]}×`, on: i => { state.zoom = ZOOMS[i]; draw(); } });
    speed.value = state.speed;

    /* Display */
    const map = h("canvas", { class: "mx-map__colors" }), over = s("svg", { viewBox: "0 0 100 100", class: "mx-regions__over" });
    const picture = h("div", { class: "mx-map mx-regions__map", role: "group", "aria-label": "The plane, cut into linear regions" }, map, over);
    const handle = s("g", { class: "mx-land__handle", tabindex: 0, role: "application", "aria-roledescription": "point on a map" },
      s("circle", { class: "mx-land__grip", r: 6 }), s("circle", { class: "mx-land__focus", r: 4 }), s("circle", { class: "mx-regions__ring", r: 2 }));
    const marksOver = s("g");
    over.append(marksOver, handle);
    const chart = s("svg", { class: "mx-plot", role: "img" }), frame = h("div", { class: "mx-frame" }, chart);
    const numbers = Object.fromEntries(["steps", "loss", "right", "met", "all", "least", "most", "parameters"].map(key => [key, MX.number()]));
    const affine = [MX.number(), MX.number(), MX.number()], active = MX.number(), here = h("p", { class: "mx-regions__here" }), voice = MX.voice();
    const fact = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];
    const between = h("span", {}, numbers.least, " to ");
    const layered = MX.key(["mx-key__line mx-key__line--thin", "a unit of layer 1 switches"], ["mx-key__line mx-key__line--thin mx-color3", "layer 2"], ["mx-key__line mx-key__line--thin mx-color4", "layer 3"]);
    const counted = MX.key(["mx-key__line", `regions on a raster of ${data.side} × ${data.side}`], ["mx-key__ring mx-regions__exact", "all in the square, counted exactly"]);
    root.append(
      h("div", { class: "mx-bar" }, play, one, again, fresh, speed.root),
      h("div", { class: "mx-bar" }, choice.root, problem.root, colors.root),
      h("div", { class: "mx-cols mx-cols--even" },
        h("div", {}, picture,
          MX.key(["mx-key__dot mx-key__dot--round mx-back1", "class 1"], ["mx-key__dot mx-back2", "class 0"], ["mx-key__line mx-regions__thick", "answer ½"]),
          layered, zoom.root, here),
        h("div", {}, frame, counted,
          h("dl", { class: "mx-facts mx-regions__facts" },
            fact("step", numbers.steps), fact("loss", numbers.loss), fact("right answers", numbers.right, ` of ${sets[state.set].y.length}`),
            fact("regions on the raster", numbers.met), fact("all in the square", numbers.all), fact("best network of this shape", between, numbers.most), fact("parameters", numbers.parameters)))),
      voice);

    function label() {
      play.textContent = loop.running ? "Pause" : "Train";
      play.disabled = one.disabled = steps >= LAST;
    }

    /** The square in view: around the point, inside of the whole square. */
    function frameOf() {
      const { center, reach } = set(), r = reach / state.zoom;
      const middle = center.map((c, k) => Math.max(c - reach + r, Math.min(c + reach - r, (state.at || center)[k])));
      return { center: state.zoom > 1 ? middle : center, reach: r };
    }

    /** Answers, pre-activations and patterns on the raster; a pattern is a number with a bit for every unit. */
    function survey() {
      const { center: [cx, cy], reach } = frameOf(), key = `${state.set} ${cx} ${cy} ${reach}`, step = (2 * reach) / cells;
      if (view?.key !== key) {
        view = { key, center: [cx, cy], reach };
        const all = Float32Array.from({ length: 2 * count }, (_, n) => (n % 2 ? cy + reach - step * Math.floor(n / 2 / side) : cx - reach + step * ((n >> 1) % side)));
        blocks = Array.from({ length: count / data.block }, (_, k) => all.subarray(2 * data.block * k, 2 * data.block * (k + 1)));
        drawPoints();
      }
      let whole = null;
      blocks.forEach((block, k) => {
        const parts = run(`plane ${state.net}`, ...params, block);
        whole ??= parts.map(part => new Float32Array(part.length * blocks.length));
        parts.forEach((part, i) => whole[i].set(part, k * part.length));
      });
      const [answer, ...z] = whole;
      const hidden = z.slice(0, -1), widths = net().layers, pattern = new Int32Array(count);
      hidden.forEach((values, l) => {
        const m = widths[l], first = widths.slice(0, l).reduce((a, b) => a + b, 0);
        for (let p = 0, i = 0; p < count; p++) {
          let bits = 0;
          for (let u = 0; u < m; u++, i++) if (values[i] > 0) bits |= 1 << u;
          pattern[p] |= bits << first;
        }
      });
      const index = new Map(), mean = [], size = [];
      const place = pattern.map((key, p) => {
        let k = index.get(key);
        if (k === undefined) { index.set(key, (k = mean.length)); mean.push(0); size.push(0); }
        mean[k] += answer[p];
        size[k]++;
        return k;
      });
      return { answer, hidden, logits: z[z.length - 1], pattern, index, place, mean: mean.map((sum, k) => sum / size[k]) };
    }

    /** The numbers of this moment. */
    function measure() {
      const [loss, right] = run(`look ${state.net}`, ...params, ...points[state.set]).map(a => a[0]);
      seen = survey();
      const regions = seen.mean.length, mark = marks.filter(m => m <= steps).length - 1;
      const whole = (v, number) => { number.show(v).textContent = v.toLocaleString("en"); };
      whole(steps, numbers.steps);
      numbers.loss.show(loss, 3);
      whole(right, numbers.right);
      whole(regions, numbers.met);
      whole(references()[mark][3], numbers.all);
      if (marks[mark] !== steps) numbers.all.textContent += ` at step ${marks[mark]}`;
      net().best.forEach((v, i) => whole(v, i ? numbers.most : numbers.least));
      whole(net().parameters, numbers.parameters);
      return { loss, right, regions };
    }

    function draw() {
      const { right, regions } = measure();
      between.hidden = net().best[0] === net().best[1];
      layered.childNodes.forEach((part, l) => { part.hidden = l >= net().layers.length; });
      counted.firstChild.firstChild.style.color = `var(${TINTS[state.net]})`;
      const { xs, ys } = past[state.net];
      const last = xs[xs.length - 1] ?? -1;
      if (state.zoom === 1 && steps > last && (steps > 1.01 * last || !loop.running)) { xs.push(steps); ys.push(regions); }
      drawMap();
      drawHere();
      drawChart();
      if (!loop.running) voice.say(`After ${steps} steps the raster meets ${regions} regions; ${right} answers are right.`);
    }

    /* Colors, lines and points */
    const unit = x => [(100 * (x[0] - view.center[0] + view.reach)) / (2 * view.reach), (100 * (view.center[1] + view.reach - x[1])) / (2 * view.reach)];
    const mix = (paper, color, part) => paper.map((v, k) => v * (1 - part) + color[k] * part);
    const packed = rgb => (255 << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0] | 0;
    const sheet = document.createElement("canvas"), brush = map.getContext("2d"), ratio = Math.min(2, window.devicePixelRatio || 1);

    function drawMap() {
      const size = Math.round(picture.clientWidth * ratio), scale = size / cells;
      if (!size) return;
      if (map.width !== size) map.width = map.height = size;
      ink ??= Object.fromEntries(["--paper", "--ink", "--c1", "--c2", "--c3", "--c4"].map(name => [name, MX.rgb(root, name)]));
      const shade = (p, more) => packed(mix(ink["--paper"], ink[p > 0.5 ? "--c1" : "--c2"], Math.min(0.9, more + 0.5 * Math.abs(2 * p - 1))));
      brush.imageSmoothingEnabled = true;
      if (state.colors === "answer") {
        Object.assign(sheet, { width: side, height: side });
        const image = new ImageData(side, side), pixels = new Int32Array(image.data.buffer);
        seen.answer.forEach((p, i) => { pixels[i] = shade(p, 0.02); });
        sheet.getContext("2d").putImageData(image, 0, 0);
        brush.drawImage(sheet, -scale / 2, -scale / 2, scale * side, scale * side);
      } else {
        Object.assign(sheet, { width: cells * FINE, height: cells * FINE });
        sheet.getContext("2d").putImageData(glass(shade), 0, 0);
        brush.drawImage(sheet, 0, 0, size, size);
      }
      const stroke = (path, color, wide) => Object.assign(brush, { lineWidth: wide * ratio, strokeStyle: `rgb(${ink[color].map(Math.round)})` }).stroke(path);
      brush.lineJoin = brush.lineCap = "round";
      const crowd = seen.mean.length > 120 ? 0.75 : 1;
      seen.hidden.forEach((values, l) => {
        brush.globalAlpha = l ? 0.95 : 0.7;
        stroke(borders(values, net().layers[l], scale), LINES[l], crowd * (l ? 1.3 : 1));
      });
      brush.globalAlpha = 1;
      const answer = borders(seen.logits, 1, scale);
      stroke(answer, "--paper", 5);
      stroke(answer, "--ink", 2.6);
    }

    /** Every region in the color of its mean answer; cells that lines cross are divided anew. */
    function glass(shade) {
      const image = new ImageData(cells * FINE, cells * FINE), pixels = new Int32Array(image.data.buffer), { pattern, place, hidden, index } = seen, widths = net().layers;
      const held = state.at && !loop.running ? patternAt() : null;
      const tints = new Int32Array(seen.mean.length);
      for (const [key, k] of index) tints[k] = shade(seen.mean[k], key === held ? 0.45 : 0.03 + 0.16 * (((key * 2654435761) >>> 8) % 97) / 97);
      const starts = widths.map((_, l) => widths.slice(0, l).reduce((a, b) => a + b, 0)), bits = [];
      for (let i = 0; i < cells; i++) {
        for (let j = 0; j < cells; j++) {
          const p = i * side + j, a = pattern[p], mixed = (a ^ pattern[p + 1]) | (a ^ pattern[p + side]) | (a ^ pattern[p + side + 1]);
          if (!mixed) {
            const tint = tints[place[p]];
            for (let q = 0, row = (i * cells + j / FINE) * FINE * FINE; q < FINE; q++, row += cells * FINE) pixels.fill(tint, row, row + FINE);
            continue;
          }
          bits.length = 0;
          for (let rest = mixed; rest; rest &= rest - 1) bits.push(31 - Math.clz32(rest & -rest));
          for (let q = 0; q < FINE; q++) {
            const row = (i * FINE + q) * cells * FINE + j * FINE;
            for (let r = 0; r < FINE; r++) {
              let key = a;
              for (const bit of bits) {
                let l = starts.length - 1;
                while (bit < starts[l]) l--;
                const m = widths[l], n = p * m + bit - starts[l], v = hidden[l], t = (q + 0.5) / FINE, u = (r + 0.5) / FINE;
                const z = (1 - t) * ((1 - u) * v[n] + u * v[n + m]) + t * ((1 - u) * v[n + side * m] + u * v[n + side * m + m]);
                key = z > 0 ? key | (1 << bit) : key & ~(1 << bit);
              }
              pixels[row + r] = tints[index.get(key) ?? place[p]];
            }
          }
        }
      }
      return image;
    }

    /** Where the units of a layer, side by side at each point of the raster, change sign. */
    function borders(values, m, scale) {
      const path = new Path2D(), x = [0, 0, 0, 0], y = [0, 0, 0, 0];
      for (let i = 0; i < cells; i++) {
        for (let j = 0; j < cells; j++) {
          const n = (i * side + j) * m;
          for (let u = 0; u < m; u++) {
            const a = values[n + u], b = values[n + m + u], c = values[n + side * m + m + u], d = values[n + side * m + u];
            const up = (a > 0) + 2 * (b > 0) + 4 * (c > 0) + 8 * (d > 0);
            if (up === 0 || up === 15) continue;
            let k = 0;
            if (a > 0 !== b > 0) { x[k] = j + a / (a - b); y[k++] = i; }
            if (b > 0 !== c > 0) { x[k] = j + 1; y[k++] = i + b / (b - c); }
            if (c > 0 !== d > 0) { x[k] = j + d / (d - c); y[k++] = i + 1; }
            if (d > 0 !== a > 0) { x[k] = j; y[k++] = i + a / (a - d); }
            for (let e = 0; e + 1 < k; e += 2) {
              path.moveTo(scale * x[e], scale * y[e]);
              path.lineTo(scale * x[e + 1], scale * y[e + 1]);
            }
          }
        }
      }
      return path;
    }

    function drawPoints() {
      const { x, y } = set();
      marksOver.replaceChildren(...x.map((point, i) => {
        const [a, b] = unit(point);
        if (a < -2 || a > 102 || b < -2 || b > 102) return null;
        return y[i] ? s("circle", { class: "mx-regions__point mx-fill1", cx: a, cy: b, r: 1.25 }) : s("rect", { class: "mx-regions__point mx-fill2", x: a - 1.1, y: b - 1.1, width: 2.2, height: 2.2 });
      }).filter(Boolean));
    }
    function drawRing() {
      const [a, b] = unit(state.at || set().center);
      handle.setAttribute("transform", `translate(${a.toFixed(2)},${b.toFixed(2)})`);
    }

    /* The point whose region is named */
    const local = () => run(`piece ${state.net}`, ...params, Float32Array.from(state.at || set().center));
    function patternAt() {
      let bits = 0, first = 0;
      const out = local(), names = data.programs[`piece ${state.net}`].names;
      net().layers.forEach((m, l) => {
        const z = out[names.indexOf(`z/${l}`)];
        for (let u = 0; u < m; u++) if (z[u] > 0) bits |= 1 << (first + u);
        first += m;
      });
      return bits;
    }

    function drawHere() {
      drawRing();
      const out = local(), names = data.programs[`piece ${state.net}`].names, x = state.at || set().center;
      const [a, b] = out[names.indexOf("slope")], [c] = out[names.indexOf("offset")], units = net().layers.reduce((m, n) => m + n, 0);
      const on = patternAt().toString(2).replace(/[^1]/g, "").length;
      const signed = (number, v) => { number.show(Math.abs(v), 3).dataset.value = String(Math.abs(v)); return [v < 0 ? " − " : " + ", number]; };
      affine[0].show(a, 3);
      active.show(on).textContent = String(on);
      here.replaceChildren(h("strong", {}, "At the ring "), active, ` of ${units} units are active, and in its region z = `, affine[0], " x₁", ...signed(affine[1], b), " x₂", ...signed(affine[2], c), ".");
      handle.setAttribute("aria-label", `Point x₁ = ${x[0].toFixed(2)}, x₂ = ${x[1].toFixed(2)}; arrow keys move it`.replaceAll("-", "−"));
    }

    function put(x) {
      const { center, reach } = set();
      state.at = x.map((v, k) => Math.max(center[k] - 0.99 * reach, Math.min(center[k] + 0.99 * reach, v)));
      if (!loop.running) draw();
    }
    const follow = event => {
      const box = picture.getBoundingClientRect(), { center, reach } = view;
      put([center[0] - reach + (2 * reach * (event.clientX - box.left)) / box.width, center[1] + reach - (2 * reach * (event.clientY - box.top)) / box.height]);
    };
    let dragged = null;
    over.addEventListener("pointerdown", event => {
      if (event.button || state.zoom > 1 || (event.pointerType === "touch" && !handle.contains(event.target))) return;
      over.setPointerCapture(event.pointerId);
      dragged = event.pointerId;
      handle.focus({ preventScroll: true });
      event.preventDefault();
      follow(event);
    });
    handle.addEventListener("touchstart", event => event.preventDefault(), { passive: false });
    over.addEventListener("pointermove", event => { if (event.pointerId === dragged) follow(event); });
    over.addEventListener("lostpointercapture", () => { dragged = null; });
    over.addEventListener("click", event => { if (!handle.contains(event.target) && dragged === null) follow(event); });
    handle.addEventListener("keydown", event => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = ((event.shiftKey ? 10 : 1) * view.reach) / 60;
      put((state.at || set().center).map((v, k) => v + step * way[k]));
    });

    function drawChart() {
      if (!width) return;
      const refs = references(), shallow = net().layers.length === 1, place = t => Math.max(t, 0.7);
      const top = Math.max(shallow ? 1.06 * net().best[1] : 0, ...refs.map(r => 1.1 * r[3]), ...Object.values(past).flatMap(({ ys }) => ys.map(y => 1.1 * y)));
      const gap = top > 220 ? 100 : top > 110 ? 50 : 25;
      const { X, Y, inside } = MX.axes(chart, {
        width, height: 230, left: 32, right: 18,
        x: { from: 0.6, to: Math.max(1000, 1.2 * steps), log: true, ticks: [1, 10, 100, 1000], text: v => v.toLocaleString("en"), label: "step" },
        y: { from: 0, to: top, ticks: Array.from({ length: Math.floor(top / gap) + 1 }, (_, i) => gap * i) },
      });
      if (shallow) inside.append(s("path", { class: "mx-drop", d: `M${X(0.6)},${Y(net().best[1])}H${X(1e4)}` }));
      for (const [name, { xs, ys }] of Object.entries(past)) {
        const now = name === state.net, d = MX.curve(xs.map(place), ys, X, Y);
        inside.append(s("path", { class: `mx-curve ${now ? "" : "mx-curve--thin"}`, style: `stroke: var(${TINTS[name]})`, d }));
        if (!now && xs.length > 2) inside.append(s("text", { class: "mx-tick mx-regions__name", x: X(place(xs[xs.length - 1])) - 4, y: Y(ys[ys.length - 1]) - 6, "text-anchor": "end" }, name));
      }
      inside.append(...refs.map((r, k) => s("circle", { class: "mx-ring mx-regions__exact", cx: X(place(marks[k])), cy: Y(r[3]), r: 4 })));
      const { xs, ys } = past[state.net];
      if (xs.length) inside.append(s("circle", { class: "mx-dot", style: `fill: var(${TINTS[state.net]})`, cx: X(place(xs[xs.length - 1])), cy: Y(ys[ys.length - 1]), r: 4.5 }));
      chart.setAttribute("aria-label", `Number of regions against step: ${seen.mean.length} now`);
    }

    const loop = MX.loop(root, calm => {
      for (let i = Math.max(1, Math.min(12, Math.round(steps * HASTE[state.speed]))) * (calm ? 10 : 1); i > 0 && steps < LAST; i--) train();
      if (steps >= LAST) loop.stop();
      label();
      draw();
    });

    reset();
    MX.redraw(frame, now => { width = now; ink = null; draw(); });

    /** Train anew: loss, right answers and regions of the picture beside NumPy's at the marks. */
    mount.check = () => {
      const before = { ...state }, pairs = {};
      Object.assign(state, { zoom: 1, at: null });
      for (const [kind, names] of Object.entries(data.references)) {
        for (const [name, all] of Object.entries(names)) {
          all.forEach((rows, start) => {
            Object.assign(state, { set: kind, net: name, start });
            past = {};
            reset();
            marks.forEach((mark, k) => {
              if (mark > (start || kind !== Object.keys(sets)[0] ? 20 : name === data.names[0] ? 300 : 100)) return;
              while (steps < mark) train();
              measure();
              ["loss", "right", "met"].forEach((key, i) => { pairs[`${kind}, ${name}, start ${start}, step ${mark}: ${key}`] = [numbers[key].value(), rows[k][i]]; });
            });
          });
        }
      }
      Object.assign(state, before);
      afresh();
      return pairs;
    };
  });
})();
