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
    if (size >= 1e-4 && size < 1e5) return value.toPrecision(digits).replace(/e.*/, "").replace("-", "−");
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${mantissa}·10${Array.from(String(Number(exponent)), c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("")}`.replace("-", "−");
  };

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

  /** Where values on a square lattice cross a level: one path, in the lattice's coordinates, times `unit`. */
  MX.contour = (values, side, level, unit) => {
    let d = "";
    const at = (i, j) => values[i * side + j] - level;
    for (let i = 0; i + 1 < side; i++) {
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

  if (window.document$) window.document$.subscribe(mountAll);
  else document.addEventListener("DOMContentLoaded", mountAll);
  if (document.readyState === "complete") setTimeout(missing);
  else window.addEventListener("load", missing);
})();
