/* Runs a program that docs/_ext/programs.py exported: the equations that JAX traced from a function of the package.
 *
 *   const run = MX.compile(program);      every variable gets a Float32Array, every equation a loop over it
 *   const [value] = run(x, 0.1);          arguments are arrays or numbers; outputs are valid until the next run
 *
 * Whatever only moves numbers (broadcast, transpose, slice, sums along axes, products of matrices) reads its source at
 * a place that is affine in the coordinates of the result; `affine` computes these places once, when compiling. */
(function () {
  "use strict";
  const MX = (window.MX = window.MX || {});

  const count = shape => shape.reduce((product, n) => product * n, 1);
  const strides = shape => shape.map((_, d) => count(shape.slice(d + 1)));
  const axes = shape => shape.map((_, d) => d);

  /** For every element of an array of this shape, in order: offset + the sum of weights times coordinates. */
  function affine(shape, weights, offset = 0) {
    const places = new Int32Array(count(shape)), at = shape.map(() => 0);
    for (let i = 0; i < places.length; i++) {
      places[i] = offset + at.reduce((sum, x, d) => sum + x * weights[d], 0);
      for (let d = shape.length - 1; d >= 0 && ++at[d] === shape[d]; d--) at[d] = 0;
    }
    return places;
  }

  /** Where an operand is read for each element of the result: axes of length 1, and missing ones, are repeated. */
  function broadcast(from, to) {
    const missing = to.length - from.length, step = strides(from);
    return affine(to, to.map((_, d) => (d < missing || from[d - missing] === 1 ? 0 : step[d - missing])));
  }

  const map = f => ({ out, ins: [a] }) => () => {
    for (let i = 0; i < out.length; i++) out[i] = f(a[i]);
  };
  const pair = f => ({ out, ins: [a, b], shape, from }) => {
    if (a.length === out.length && b.length === out.length) return () => {
      for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i]);
    };
    if (a.length === out.length && b.length === 1) return () => {
      for (let i = 0, y = b[0]; i < out.length; i++) out[i] = f(a[i], y);
    };
    const pa = broadcast(from[0], shape), pb = broadcast(from[1], shape);
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = f(a[pa[i]], b[pb[i]]);
    };
  };
  const gather = places => ({ out, ins: [a], ...node }) => {
    const p = places(node);
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = a[p[i]];
    };
  };
  const reduce = (f, start) => ({ out, ins: [a], shape, from, extra }) => {
    const step = strides(shape), kept = axes(from[0]).filter(d => !extra.axes.includes(d));
    const p = affine(from[0], axes(from[0]).map(d => (kept.includes(d) ? step[kept.indexOf(d)] : 0)));
    const sum = new Float64Array(out.length);
    return () => {
      sum.fill(start);
      for (let i = 0; i < a.length; i++) sum[p[i]] = f(sum[p[i]], a[i]);
      out.set(sum);
    };
  };
  const best = better => ({ out, ins: [a], shape, from, extra }) => {
    const [axis] = extra.axes, step = strides(from[0]);
    const p = affine(shape, step.filter((_, d) => d !== axis));
    return () => {
      for (let i = 0; i < out.length; i++) {
        let found = 0;
        for (let k = 1; k < from[0][axis]; k++) {
          if (better(a[p[i] + k * step[axis]], a[p[i] + found * step[axis]])) found = k;
        }
        out[i] = found;
      }
    };
  };

  /** A product of matrices in general: axes that both share as a batch, axes summed over, the rest. */
  function dot({ out, ins: [a, b], shape, from: [sa, sb], extra }) {
    const [[sumA, sumB], [batchA, batchB]] = extra.dimension_numbers;
    const freeA = axes(sa).filter(d => !sumA.includes(d) && !batchA.includes(d));
    const freeB = axes(sb).filter(d => !sumB.includes(d) && !batchB.includes(d));
    const ta = strides(sa), tb = strides(sb), zero = list => list.map(() => 0), pick = (t, list) => list.map(d => t[d]);
    const pa = affine(shape, [...pick(ta, batchA), ...pick(ta, freeA), ...zero(freeB)]);
    const pb = affine(shape, [...pick(tb, batchB), ...zero(freeA), ...pick(tb, freeB)]);
    const summed = sumA.map(d => sa[d]), qa = affine(summed, pick(ta, sumA)), qb = affine(summed, pick(tb, sumB));
    return () => {
      for (let i = 0; i < out.length; i++) {
        let sum = 0;
        for (let k = 0; k < qa.length; k++) sum += a[pa[i] + qa[k]] * b[pb[i] + qb[k]];
        out[i] = sum;
      }
    };
  }

  function concatenate({ out, ins, shape, from, extra: { dimension } }) {
    const step = strides(shape);
    let start = 0;
    const places = from.map(s => affine(s, step, (start += s[dimension]) * step[dimension] - s[dimension] * step[dimension]));
    return () => ins.forEach((a, n) => { for (let i = 0; i < a.length; i++) out[places[n][i]] = a[i]; });
  }

  function select({ out, ins: [which, ...cases], shape, from }) {
    const p = broadcast(from[0], shape);
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = cases[which[p[i]]][i];
    };
  }

  function clamp({ out, ins: [low, a, high], shape, from }) {
    const pl = broadcast(from[0], shape), ph = broadcast(from[2], shape);
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = Math.min(high[ph[i]], Math.max(low[pl[i]], a[i]));
    };
  }

  /** The error function: its series near 0, where all terms have one sign; a continued fraction for its tail. */
  function erf(x) {
    if (Math.abs(x) > 2.5) return x !== x ? x : Math.sign(x) * (1 - erfcTail(Math.abs(x)));
    let term = x, sum = x;
    for (let n = 1; n < 60; n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  function erfcTail(x) {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
  }
  const erfc = x => (x > 2.5 ? erfcTail(x) : 1 - erf(x));

  const CAST = { f: x => x, i: Math.trunc, b: x => +(x !== 0) };
  const copy = map(x => x);
  const OPS = {
    abs: map(Math.abs), ceil: map(Math.ceil), copy, cos: map(Math.cos), erf: map(erf), erfc: map(erfc),
    exp: map(Math.exp), expm1: map(Math.expm1), floor: map(Math.floor), log: map(Math.log), log1p: map(Math.log1p),
    logistic: map(x => 1 / (1 + Math.exp(-x))), neg: map(x => -x), not: map(x => +!x), rsqrt: map(x => 1 / Math.sqrt(x)),
    sign: map(Math.sign), sin: map(Math.sin), sqrt: map(Math.sqrt), square: map(x => x * x), tanh: map(Math.tanh),
    integer_pow: node => map(x => x ** node.extra.y)(node),
    convert_element_type: node => map(CAST[node.extra.new_dtype])(node),
    reshape: copy, squeeze: copy,

    add: pair((x, y) => x + y), add_any: pair((x, y) => x + y), sub: pair((x, y) => x - y), mul: pair((x, y) => x * y),
    div: pair((x, y) => x / y),
    max: pair(Math.max), min: pair(Math.min), pow: pair(Math.pow), and: pair((x, y) => x & y), or: pair((x, y) => x | y),
    eq: pair((x, y) => +(x === y)), ne: pair((x, y) => +(x !== y)), lt: pair((x, y) => +(x < y)),
    le: pair((x, y) => +(x <= y)), gt: pair((x, y) => +(x > y)), ge: pair((x, y) => +(x >= y)),

    transpose: gather(({ shape, from, extra }) => affine(shape, extra.permutation.map(d => strides(from[0])[d]))),
    broadcast_in_dim: gather(({ shape, from, extra }) => {
      const weights = shape.map(() => 0), step = strides(from[0]);
      extra.broadcast_dimensions.forEach((d, k) => (weights[d] = from[0][k] === 1 ? 0 : step[k]));
      return affine(shape, weights);
    }),
    rev: gather(({ shape, extra }) => {
      const step = strides(shape), last = extra.dimensions.reduce((sum, d) => sum + (shape[d] - 1) * step[d], 0);
      return affine(shape, step.map((s, d) => (extra.dimensions.includes(d) ? -s : s)), last);
    }),
    slice: gather(({ shape, from, extra }) => {
      const step = strides(from[0]), first = extra.start_indices.reduce((sum, n, d) => sum + n * step[d], 0);
      return affine(shape, step.map((s, d) => s * (extra.strides ? extra.strides[d] : 1)), first);
    }),
    iota: ({ out, shape, extra }) => {
      out.set(affine(shape, shape.map((_, d) => +(d === extra.dimension))));
      return () => {};
    },
    reduce_sum: reduce((x, y) => x + y, 0), reduce_max: reduce(Math.max, -Infinity), reduce_min: reduce(Math.min, Infinity),
    argmax: best((x, y) => x > y), argmin: best((x, y) => x < y),
    dot_general: dot, concatenate, select_n: select, clamp,
  };

  /** Base64 of float32 numbers, as an array. */
  const decode = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);

  function compile(program) {
    const { shapes } = program, buffers = shapes.map(shape => new Float32Array(count(shape)));
    for (const [i, text] of Object.entries(program.constants)) buffers[i].set(decode(text));
    const code = program.equations.map(([name, ins, out, extra]) => {
      if (!OPS[name]) throw new Error(`jaxpr.js has no primitive ${name}`);
      const node = { out: buffers[out], ins: ins.map(i => buffers[i]), shape: shapes[out], from: ins.map(i => shapes[i]), extra };
      return OPS[name](node);
    });
    const inputs = program.in.map(i => buffers[i]), outputs = program.out.map(i => buffers[i]);
    function run(...args) {
      if (args.length !== inputs.length) throw new Error(`${inputs.length} arguments wanted, ${args.length} given`);
      args.forEach((value, k) => {
        if (typeof value === "number") return inputs[k].fill(value);
        if (value.length !== inputs[k].length) throw new Error(`argument ${k}: ${inputs[k].length} numbers wanted, ${value.length} given`);
        inputs[k].set(value);
      });
      for (const step of code) step();
      return outputs;
    }
    run.names = program.names;
    return run;
  }

  Object.assign(MX, { compile, decode, primitives: Object.keys(OPS) });
})();
