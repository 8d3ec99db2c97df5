/* Interactive demos: finds `<div class="mx-demo" data-demo="NAME">`, reads its JSON, and hands both to the function that
 * assets/js/demos/NAME.js gave to `MX.demo`. Below it: the parts that demos are made of. What a demo computes comes from
 * programs of the package (jaxpr.js) and from its data; nothing here knows a formula. */
(function () {
  "use strict";
  const MX = (window.MX = window.MX || {});
  const builders = {};

  /* ---- Mounting ---- */

  /** Register a demo: `build(root, data, mount)` fills `root` and may set `mount.check`. */
  MX.demo = (name, build) => {
    builders[name] = build;
    if (document.readyState !== "loading") mountAll();
  };

  function mount(place) {
    const live = MX.h("div", { class: "mx-demo__live" });
    try {
      const data = JSON.parse(place.querySelector("script[type='application/json']").textContent);
      place.prepend(live);
      place.dataset.ready = "building";
      builders[place.dataset.demo](live, data, place);
      place.dataset.ready = "done";
    } catch (error) {
      fail(place, live, error);
    }
  }

  function fail(place, live, error) {
    place.dataset.ready = "error";
    live.replaceChildren(MX.h("p", { class: "mx-demo__error", role: "alert" }, `This demo could not start: ${error.message}`));
    place.prepend(live);
    console.error(error);
  }

  function mountAll() {
    for (const place of document.querySelectorAll(".mx-demo:not([data-ready])")) {
      if (builders[place.dataset.demo]) mount(place);
    }
  }

  function missing() {
    mountAll();
    for (const place of document.querySelectorAll(".mx-demo:not([data-ready])")) {
      fail(place, MX.h("div", { class: "mx-demo__live" }), new Error(`its script ${place.dataset.demo}.js did not load.`));
    }
  }

  /* ---- Elements ---- */

  const NS = "http://www.w3.org/2000/svg";
  function fill(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter(child => child !== null));
    return element;
  }
  /** An HTML element: attributes (`onclick` and the like are listeners), then children. */
  MX.h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  /** The same for SVG. */
  MX.s = (tag, attributes, ...children) => fill(document.createElementNS(NS, tag), attributes, children);
  const { h, s } = MX;

  let last = 0;
  const newId = () => `mx-control-${++last}`;

  /** A number as text: so many significant digits, a true minus sign, powers of ten where it is tiny or huge. */
  MX.text = (value, digits = 3) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e-4 && size < 1e5) return (size < 10 ** (digits - 1) ? value.toPrecision(digits) : value.toFixed(0)).replace("-", "−");
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${mantissa}·${MX.power(Number(exponent))}`.replace("-", "−");
  };

  /** A power of ten by its exponent. */
  MX.power = k => (k === 0 ? "1" : k === 1 ? "10" : `10${Array.from(String(k), c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("")}`);

  /** The same without trailing zeros: for what is exact. */
  MX.short = (value, digits = 4) => (value === null ? "–" : String(Number(value.toPrecision(digits))).replace("-", "−"));

  /** A place that shows one number; `data-value` keeps it unrounded. */
  MX.number = (attributes = {}) => {
    const element = h("span", { class: "mx-number", ...attributes });
    element.show = (value, digits) => {
      element.textContent = MX.text(value, digits);
      element.dataset.value = String(value);
      return element;
    };
    element.value = () => Number(element.dataset.value);
    return element;
  };

  /** A slider with its label and its value; `text` says the value in words. */
  MX.slider = (label, { min, max, step, value, text = v => MX.text(v), kind = "", on }) => {
    const id = newId(), shown = h("output", { for: id });
    const input = h("input", { type: "range", id, min, max, step, value });
    const say = () => {
      shown.textContent = text(Number(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
      input.style.setProperty("--part", `${(100 * (input.value - min)) / (max - min)}%`);
    };
    input.addEventListener("input", () => { say(); on(Number(input.value)); });
    const root = h("div", { class: `mx-field mx-field--slider ${kind}` }, h("label", { for: id }, label), input, shown);
    say();
    return {
      root, input,
      get value() { return Number(input.value); },
      set value(v) { input.value = v; say(); },
    };
  };

  /** A choice; options are strings or pairs of value and text. */
  MX.select = (label, options, on) => {
    const id = newId();
    const items = options.map(o => (Array.isArray(o) ? h("option", { value: o[0] }, o[1]) : h("option", { value: o }, o)));
    const input = h("select", { id, onchange: () => on(input.value) }, items);
    const root = h("div", { class: "mx-field" }, h("label", { for: id }, label), input);
    return { root, input, get value() { return input.value; }, set value(v) { input.value = v; } };
  };

  /** What colors and marks mean: pairs of the mark's classes and text. */
  MX.key = (...pairs) => h("p", { class: "mx-key" }, pairs.map(([mark, text]) => h("span", {}, h("span", { class: mark }), text)));

  /** A button; `kind` may be "main". */
  MX.button = (label, on, kind = "") => h("button", { type: "button", class: `mx-button ${kind && `mx-button--${kind}`}`, onclick: on }, label);

  /** A row of the book by its ID: a link, with what it shows, where the page around has one to the same row. */
  MX.ref = id => {
    const known = document.querySelector(`a.mx-ref[data-mx-ref="${id}"]:not(.mx-demo__ref)`)?.getAttribute("href") || (document.getElementById(id) ? `#${id}` : "");
    return known ? h("a", { class: "mx-ref mx-demo__ref", href: known, "data-mx-ref": id }, id) : h("span", { class: "mx-demo__ref" }, id);
  };

  /** A letter of mathematics with what stands below and above it. */
  MX.letter = (name, below = "", above = "") => {
    const marks = below || above ? h("span", { class: "mx-letter__marks" }, above ? h("sup", {}, above) : null, below ? h("sub", {}, below) : null) : null;
    return h("span", { class: `mx-letter ${below && above ? "mx-letter--both" : ""}` }, h("i", {}, name), marks);
  };

  /** Text for screen readers only, spoken when it changes. */
  MX.voice = () => {
    const element = h("div", { class: "mx-hidden", "aria-live": "polite" });
    let waiting;
    element.say = text => { clearTimeout(waiting); waiting = setTimeout(() => (element.textContent = text), 400); };
    return element;
  };

  /* ---- Drawing ---- */

  /** Call `draw(width)` now and whenever the element's width or the color scheme changes. */
  MX.redraw = (element, draw) => {
    let width = 0;
    const again = () => { if (element.isConnected && element.clientWidth) draw((width = element.clientWidth)); };
    const sizes = new ResizeObserver(() => { if (element.clientWidth !== width) again(); });
    const scheme = new MutationObserver(() => (element.isConnected ? again() : scheme.disconnect()));
    sizes.observe(element);
    scheme.observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
    again();
    return again;
  };

  /** A color of the page, such as "--c1", as numbers for a canvas. */
  MX.rgb = (element, name) => {
    const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    brush.fillStyle = getComputedStyle(element).getPropertyValue(name).trim();
    brush.fillRect(0, 0, 1, 1);
    return Array.from(brush.getImageData(0, 0, 1, 1).data.slice(0, 3));
  };

  /** Axes in an SVG: replaces its content, returns the scales and a group for what is drawn, cut to the frame.
   *  `x` and `y`: {from, to, ticks, log, label, text}. */
  MX.axes = (svg, { width, height, x, y, left = 34, bottom = 36, top = 8, right = 10 }) => {
    const scale = (axis, a, b) => {
      const f = axis.log ? Math.log10 : v => v, lo = f(axis.from), hi = f(axis.to);
      return v => a + ((b - a) * (f(v) - lo)) / (hi - lo);
    };
    const X = scale(x, left, width - right), Y = scale(y, height - bottom, top), id = newId();
    const text = axis => axis.text || (v => String(v).replace("-", "−"));
    const ticks = [
      ...x.ticks.map(v => s("path", { class: v === 0 ? "mx-axis" : "mx-rule", d: `M${X(v)},${top}V${height - bottom}` })),
      ...y.ticks.map(v => s("path", { class: v === 0 ? "mx-axis" : "mx-rule", d: `M${left},${Y(v)}H${width - right}` })),
      ...x.ticks.map(v => s("text", { class: "mx-tick", x: X(v), y: height - bottom + 15, "text-anchor": "middle" }, text(x)(v))),
      ...y.ticks.map(v => s("text", { class: "mx-tick", x: left - 6, y: Y(v) + 4, "text-anchor": "end" }, text(y)(v))),
    ];
    const frame = s("rect", { x: left, y: top, width: width - right - left, height: height - bottom - top });
    const inside = s("g", { "clip-path": `url(#${id})` });
    const label = s("text", { class: "mx-tick", x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, x.label || "");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.replaceChildren(s("clipPath", { id }, frame), ...ticks, label, inside);
    return { X, Y, inside };
  };

  /** A curve through points; where consecutive values jump by more than `jump`, it breaks. */
  MX.curve = (xs, ys, X, Y, jump = Infinity) => {
    let d = "", pen = false;
    for (let i = 0; i < xs.length; i++) {
      if (!Number.isFinite(ys[i])) { pen = false; continue; }
      if (i && Math.abs(ys[i] - ys[i - 1]) > jump) pen = false;
      d += `${pen ? "L" : "M"}${X(xs[i]).toFixed(1)},${Y(ys[i]).toFixed(1)}`;
      pen = true;
    }
    return d;
  };

  /** Where values on a lattice with `side` columns cross a level: one path, in the lattice's coordinates, times `unit`. */
  MX.contour = (values, side, level, unit) => {
    let d = "";
    const at = (i, j) => values[i * side + j] - level;
    for (let i = 0; i + 1 < values.length / side; i++) {
      for (let j = 0; j + 1 < side; j++) {
        const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]], cuts = [];
        corners.forEach(([p, q], k) => {
          const [r, t] = corners[(k + 1) % 4], a = at(p, q), b = at(r, t);
          if (a < 0 !== b < 0) cuts.push([q + ((t - q) * a) / (a - b), p + ((r - p) * a) / (a - b)]);
        });
        for (let k = 0; k + 1 < cuts.length; k += 2) {
          const [[a, b], [c, e]] = [cuts[k], cuts[k + 1]];
          d += `M${(a * unit).toFixed(1)},${(b * unit).toFixed(1)}L${(c * unit).toFixed(1)},${(e * unit).toFixed(1)}`;
        }
      }
    }
    return d;
  };

  /** Calls `frame` again and again until it returns false; slowly where the reader asked for less motion. */
  MX.loop = (element, frame) => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let running = false;
    const next = () => (calm.matches ? setTimeout(() => requestAnimationFrame(turn), 400) : requestAnimationFrame(turn));
    const turn = () => {
      if (!running || !element.isConnected) { running = false; return; }
      if (frame(calm.matches) === false) running = false;
      else next();
    };
    return {
      start() { if (!running) { running = true; next(); } },
      stop() { running = false; },
      get running() { return running; },
    };
  };

  /* ---- A map of a function of two variables ---- */

  /** Colors and level lines of a function on a rectangle, a group `above` for what is drawn there, and a point to move with
   *  pointer, finger or arrow keys, which calls `on(x, y)`. `box`: {center, reach, power}; see docs/demos/_surfaces.py. */
  MX.landscape = ({ columns, rows, name, hue = "--c1", strength = 0.42, on }) => {
    const LEVELS = 12, id = newId();
    const canvas = h("canvas", { class: "mx-land__colors", width: columns, height: rows });
    const border = s("rect"), lines = s("path", { class: "mx-land__lines" }), above = s("g");
    const ring = [s("circle", { class: "mx-land__grip", r: 22 }), s("circle", { class: "mx-land__focus", r: 13 }), s("circle", { class: "mx-land__ring", r: 7.5 })];
    const handle = s("g", { class: "mx-land__handle", tabindex: 0, role: "application", "aria-roledescription": "point on a map" }, ring);
    const ticks = s("g", { class: "mx-land__ticks", "aria-hidden": "true" });
    const svg = s("svg", { class: "mx-land__svg" }, s("clipPath", { id }, border), lines, ticks, s("g", { "clip-path": `url(#${id})` }, above), handle);
    const root = h("div", { class: "mx-land", role: "group", "aria-label": name }, canvas, svg);
    Object.assign(canvas.style, { width: `${(100 * columns) / (columns - 1)}%`, left: `${-50 / (columns - 1)}%`, height: `${(100 * rows) / (rows - 1)}%`, top: `${-50 / (rows - 1)}%` });
    let box = { center: [0, 0], reach: 1, power: 2 }, values = null, width = 1, point = [0, 0], dragged = null;
    const height = () => (width * (rows - 1)) / (columns - 1), unit = () => width / (columns - 1);
    const X = x => (width * (x - box.center[0] + box.reach)) / (2 * box.reach), Y = y => height() / 2 - (width * (y - box.center[1])) / (2 * box.reach);
    const left = () => box.center[0] - box.reach, top = () => box.center[1] + (box.reach * (rows - 1)) / (columns - 1);

    /** The points of the lattice, row by row from the top. */
    function lattice(given) {
      box = given;
      const step = (2 * box.reach) / (columns - 1), all = { length: columns * rows };
      return [Float32Array.from(all, (_, n) => left() + step * (n % columns)), Float32Array.from(all, (_, n) => top() - step * Math.floor(n / columns))];
    }

    /** Show values on the lattice. */
    function show(given, least) {
      values = Float32Array.from(given);
      values.least = least;
      values.most = values.reduce((a, b) => Math.max(a, b));
      draw();
    }

    function draw() {
      width = root.clientWidth;
      if (!width || !values) return;
      const range = values.most - values.least, paper = MX.rgb(root, "--paper"), color = MX.rgb(root, hue);
      const brush = canvas.getContext("2d"), image = brush.createImageData(columns, rows);
      values.forEach((v, i) => {
        const part = strength * (1 - Math.max(0, (v - values.least) / range) ** (1 / box.power));
        for (let k = 0; k < 3; k++) image.data[4 * i + k] = paper[k] * (1 - part) + color[k] * part;
        image.data[4 * i + 3] = 255;
      });
      brush.putImageData(image, 0, 0);
      svg.setAttribute("viewBox", `0 0 ${width} ${height()}`);
      fill(border, { width, height: height() }, []);
      lines.setAttribute("d", Array.from({ length: LEVELS }, (_, k) => MX.contour(values, columns, values.least + range * ((k + 0.5) / LEVELS) ** box.power, unit())).join(""));
      const marks = [-2, -1, 0, 1, 2].map(k => Math.round(k * box.reach / 3 + box.center[0])), seen = [...new Set(marks)];
      ticks.replaceChildren(
        ...seen.map(x => s("text", { x: X(x), y: height() - 5, "text-anchor": "middle" }, String(x).replace("-", "−"))),
        ...seen.filter(y => Y(y) > 16 && Y(y) < height() - 22).map(y => s("text", { x: 5, y: Y(y) + 4 }, String(y).replace("-", "−"))));
      move();
    }

    const move = () => handle.setAttribute("transform", `translate(${X(point[0]).toFixed(1)},${Y(point[1]).toFixed(1)})`);
    function put(x, y) {
      const inside = (v, middle, reach) => Math.max(middle - reach, Math.min(middle + reach, Math.round(200 * v) / 200));
      point = [inside(x, box.center[0], 0.98 * box.reach), inside(y, box.center[1], 0.97 * (top() - box.center[1]))];
      move();
      on(...point);
    }
    const follow = event => {
      const at = svg.getBoundingClientRect(), scale = (2 * box.reach) / at.width;
      put(left() + scale * (event.clientX - at.left), top() - scale * (event.clientY - at.top));
    };
    svg.addEventListener("pointerdown", event => {
      if (event.button || (event.pointerType === "touch" && !handle.contains(event.target))) return;
      svg.setPointerCapture(event.pointerId);
      dragged = event.pointerId;
      handle.focus({ preventScroll: true });
      event.preventDefault();
      follow(event);
    });
    handle.addEventListener("touchstart", event => event.preventDefault(), { passive: false });  // a finger here drags, elsewhere it scrolls
    svg.addEventListener("pointermove", event => { if (event.pointerId === dragged) follow(event); });
    svg.addEventListener("lostpointercapture", () => { dragged = null; });
    svg.addEventListener("click", event => { if (!handle.contains(event.target)) follow(event); });  // a tap
    handle.addEventListener("keydown", event => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = (event.shiftKey ? 10 : 1) * (box.reach / 60);
      put(point[0] + step * way[0], point[1] + step * way[1]);
    });

    return {
      root, svg, above, handle, X, Y, lattice, show, draw,
      get width() { return width; },
      get height() { return height(); },
      get point() { return point; },
      set point(p) { point = [...p]; move(); },
      inside: (x, y) => Math.abs(x - box.center[0]) <= box.reach && Math.abs(y - box.center[1]) <= top() - box.center[1],
      /** Crosses at the minima of a place, slanted ones at its saddles. */
      marks: ({ minima, saddles }) => [
        ...minima.map(([x, y]) => s("path", { class: "mx-land__plus", d: `M${X(x) - 6},${Y(y)}h12M${X(x)},${Y(y) - 6}v12` })),
        ...saddles.map(([x, y]) => s("path", { class: "mx-land__plus mx-land__plus--thin", d: `M${X(x) - 4},${Y(y) - 4}l8,8M${X(x) - 4},${Y(y) + 4}l8,-8` })),
      ],
      /** The level line through a value. */
      level: value => (values ? MX.contour(values, columns, value, unit()) : ""),
      /** A path through points; far outside it is cut, and it ends where a number is not finite. */
      path(xs, ys) {
        const far = v => Math.max(-9999, Math.min(9999, v));
        let end = xs.findIndex((x, i) => !Number.isFinite(x) || !Number.isFinite(ys[i]));
        if (end < 0) end = xs.length;
        return Array.from({ length: end }, (_, i) => `${i ? "L" : "M"}${far(X(xs[i])).toFixed(1)},${far(Y(ys[i])).toFixed(1)}`).join("");
      },
    };
  };

  /** Points (`[data-point]`) of a picture that the pointer drags, arrow keys move, Page Up and Page Down choose: which one
   * is `chosen`, which one is `dragged`, and whether the next drawing has to `refocus` the chosen one. */
  MX.points = (svg, { count, at, step, place, move, draw, chosen = 0 }) => {
    const state = { chosen, dragged: null, refocus: false };
    const focused = act => { state.refocus = true; act(); state.refocus = false; };
    svg.addEventListener("pointerdown", event => {
      const point = event.target.closest("[data-point]");
      if (!point) return;
      event.preventDefault();
      state.chosen = state.dragged = Number(point.dataset.point);
      svg.setPointerCapture(event.pointerId);
      focused(draw);
    });
    svg.addEventListener("pointermove", event => { if (state.dragged !== null) move(state.dragged, place(event)); });
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => { state.dragged = null; });
    svg.addEventListener("keydown", event => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const other = { PageUp: count() - 1, PageDown: 1 }[event.key];
      if (!way && !other) return;
      event.preventDefault();
      const size = step(event), [p, q] = at(state.chosen);
      focused(() => {
        if (way) return move(state.chosen, [p + size * way[0], q + size * way[1]]);
        state.chosen = (state.chosen + other) % count();
        draw();
      });
    });
    return state;
  };

  /** Names of places on a slider, in order, below its track: `MX.marks(slider)([[value, text], …])`. */
  MX.marks = slider => {
    const { input } = slider, list = h("span", { class: "mx-marks", "aria-hidden": "true" }), around = h("span", { class: "mx-marked" });
    input.replaceWith(around);
    around.append(input, list);
    return pairs => {
      const part = v => (v - input.min) / (input.max - input.min);
      list.replaceChildren(...pairs.filter(([v]) => part(v) >= 0 && part(v) <= 1).map(([v, text], k, all) =>
        h("span", { style: `left: calc(8px + ${part(v).toFixed(4)} * (100% - 16px))`, class: all.length > 1 && !k ? "mx-marks__left" : "" }, text)));
    };
  };

  if (window.document$) window.document$.subscribe(mountAll);
  else document.addEventListener("DOMContentLoaded", mountAll);
  if (document.readyState === "complete") setTimeout(missing);
  else window.addEventListener("load", missing);
})();
