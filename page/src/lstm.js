import { add, product, sigmoid, split } from "./maths.js";

// One step of a layer of LSTM cells, from the input x, the output a and the memory c before it:
//     c' = g(z) f(z_i) + c f(z_f)        a' = h(c') f(z_o)
// W (x), U (a) and b have their columns in Keras' order z_i, z_f, z, z_o. Each gate also sees its own
// memory cell through the peepholes P: z_i and z_f see c, z_o sees c'.
export function lstmStep(x, { a, c }, { W, U, b, P }, { g = Math.tanh, h = Math.tanh } = {}) {
  const peep = (row, memory) => memory.map((value, k) => value * P[row * memory.length + k]);
  const sums = split(add(product(x, W), product(a, U), b), 4);
  const z_i = add(sums[0], peep(0, c));
  const z_f = add(sums[1], peep(1, c));
  const z = sums[2];
  const [i, f] = [z_i.map(sigmoid), z_f.map(sigmoid)];
  const next = c.map((value, k) => g(z[k]) * i[k] + value * f[k]);
  const z_o = add(sums[3], peep(2, next));
  const o = z_o.map(sigmoid);
  return { z, z_i, z_f, z_o, i, f, o, c: next, a: next.map((value, k) => h(value) * o[k]) };
}

// All steps, from an empty memory.
export function lstm(inputs, weights, activations) {
  const empty = new Array(weights.b.length / 4).fill(0);
  let last = { a: empty, c: empty };
  return inputs.map((x) => (last = lstmStep(x, last, weights, activations)));
}
