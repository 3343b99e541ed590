import { add, product } from "./maths.js";

// A simple recurrent layer, Elman's: h' = f(x W + h U + b).
export function rnn(inputs, [W, U, b], f = Math.tanh) {
  let h = new Array(b.length).fill(0);
  return inputs.map((x) => (h = add(product(x, W), product(h, U), b).map((value) => f(value))));
}

// A layer from each end; their outputs side by side.
export function bidirectional(layer, inputs, forward, backward) {
  const ahead = layer(inputs, forward);
  const back = layer([...inputs].reverse(), backward).reverse();
  return ahead.map((h, step) => [...h, ...back[step]]);
}
