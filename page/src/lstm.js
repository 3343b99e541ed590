import { add, product, sigmoid, split } from "./maths.js";

// One step of a layer of LSTM cells, from the input x, the output a and the memory c before it:
//     c' = g(z) f(z_i) + c f(z_f)        a' = h(c') f(z_o)
// W (x), U (a) and b have their columns in Keras' order z_i, z_f, z, z_o. Each gate also sees its
// own memory cell through the peepholes P: z_i and z_f see c, z_o sees c'.
function lstmStep(x, { a, c }, { W, U, b, P }, g, h) {
  const sums = split(add(product(x, W), product(a, U), b), 4);
  const peep = (gate, memory, p) => add(gate, memory.map((value, k) => value * p[k]));
  const [P_i, P_f, P_o] = split(P, 3);
  const z = sums[2];
  const z_i = peep(sums[0], c, P_i);
  const z_f = peep(sums[1], c, P_f);
  const [i, f] = [z_i.map(sigmoid), z_f.map(sigmoid)];
  const next = c.map((value, k) => g(z[k]) * i[k] + value * f[k]);
  const z_o = peep(sums[3], next, P_o);
  const o = z_o.map(sigmoid);
  const read = next.map((value) => h(value));
  return {
    z, z_i, z_f, z_o, i, f, o, c: next, gz: z.map((value) => g(value)), hc: read,
    a: read.map((value, k) => value * o[k]),
  };
}

// All steps, from an empty memory.
export function lstm(inputs, weights, g = Math.tanh, h = Math.tanh) {
  const empty = new Array(weights.b.length / 4).fill(0);
  let last = { a: empty, c: empty };
  return inputs.map((x) => (last = lstmStep(x, last, weights, g, h)));
}
