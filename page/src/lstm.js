// A layer of LSTM cells. Of an input x, the output a and the memory c before it come
//     c' = g(z) f(z_i) + c f(z_f)        a' = h(c') f(z_o)
// W (x), U (a) and b have their columns in Keras' order z_i, z_f, z, z_o. Each gate also sees its
// own memory cell through the peepholes P: z_i and z_f see c, z_o sees c'.
function lstm(inputs, { W, U, b, P }, g = Math.tanh, h = Math.tanh) {
  const [P_i, P_f, P_o] = split(P, 3);
  let c = new Array(P_i.length).fill(0);
  let a = c;
  return inputs.map((x) => {
    const [s_i, s_f, z, s_o] = split(add(product(x, W), product(a, U), b), 4);
    const [z_i, z_f] = [add(s_i, times(c, P_i)), add(s_f, times(c, P_f))];
    const [i, f, gz] = [z_i.map(sigmoid), z_f.map(sigmoid), z.map(g)];
    c = add(times(gz, i), times(c, f));
    const z_o = add(s_o, times(c, P_o));
    const [o, hc] = [z_o.map(sigmoid), c.map(h)];
    a = times(hc, o);
    return { z, z_i, z_f, z_o, i, f, o, c, gz, hc, a };
  });
}
