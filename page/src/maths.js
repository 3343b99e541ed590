// A vector is an array of numbers; a matrix is one too, row after row, as Keras stores it.
export const sigmoid = (x) => 1 / (1 + Math.exp(-x));
export const linear = (x) => x;
export const add = (...vectors) =>
  vectors[0].map((_, k) => vectors.reduce((sum, vector) => sum + vector[k], 0));

// x W: of the rows of W there are as many as numbers in x.
export function product(x, W) {
  const columns = W.length / x.length;
  const sums = new Float64Array(columns);
  for (let row = 0; row < x.length; row++) {
    for (let column = 0; column < columns; column++) {
      sums[column] += x[row] * W[row * columns + column];
    }
  }
  return Array.from(sums);
}

export function split(vector, parts) {
  const size = vector.length / parts;
  return Array.from({ length: parts }, (_, k) => vector.slice(k * size, (k + 1) * size));
}

export function logSumExp(vector) {
  const top = Math.max(...vector);
  return top + Math.log(vector.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

export function softmax(vector) {
  const all = logSumExp(vector);
  return vector.map((x) => Math.exp(x - all));
}

export const argmax = (vector) => vector.indexOf(Math.max(...vector));

// A number as on the board: two decimals, no trailing zeros.
export function written(x) {
  const rounded = Math.round(x * 100) / 100 + 0;
  return (Math.abs(x) < 1e5 ? String(rounded) : x.toExponential(1)).replace("-", "−");
}
