// A simple recurrent layer, Elman's: h' = f(x W + h U + b).
function rnn(inputs, [W, U, b], f = Math.tanh) {
  let h = new Array(b.length).fill(0);
  return inputs.map((x) => (h = add(product(x, W), product(h, U), b).map(f)));
}

// A layer from each end; their outputs side by side.
function bidirectional(layer, inputs, forward, backward) {
  const back = layer([...inputs].reverse(), backward).reverse();
  return layer(inputs, forward).map((h, step) => [...h, ...back[step]]);
}
