// A layer of Keras' GRU (reset_after): columns z, r, n; the bias has a row for x and one for h.
//     n = tanh(x W_n + b_n + r (h U_n + b'_n))        h' = z h + (1 - z) n
function gru(inputs, [W, U, b]) {
  const [fromX, fromH] = split(b, 2);
  let h = new Array(fromX.length / 3).fill(0);
  return inputs.map((x) => {
    const [x_z, x_r, x_n] = split(add(product(x, W), fromX), 3);
    const [h_z, h_r, h_n] = split(add(product(h, U), fromH), 3);
    const [z, r] = [add(x_z, h_z).map(sigmoid), add(x_r, h_r).map(sigmoid)];
    const n = add(x_n, times(r, h_n)).map(Math.tanh);
    return (h = h.map((value, k) => z[k] * value + (1 - z[k]) * n[k]));
  });
}
