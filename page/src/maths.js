// A vector is an array of numbers; a matrix is one too, row after row, as Keras stores it.
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const linear = (x) => x;
const upTo = (count) => [...Array(count).keys()]; // 0, 1, ... count - 1
const total = (vector) => vector.reduce((sum, value) => sum + value, 0);
const mean = (vector) => total(vector) / vector.length;
const cumulated = (vector) => vector.map((_, k) => total(vector.slice(0, k + 1)));
const add = (...vectors) => vectors[0].map((_, k) => total(vectors.map((each) => each[k])));
const times = (one, other) => one.map((value, k) => value * other[k]);
const transposed = (rows) => rows[0].map((_, k) => rows.map((row) => row[k]));
const argmax = (vector) => vector.indexOf(Math.max(...vector));

// x W: of the rows of W there are as many as numbers in x.
function product(x, W) {
  const columns = W.length / x.length;
  const sums = new Array(columns).fill(0);
  for (let row = 0; row < x.length; row++) {
    for (let column = 0; column < columns; column++) {
      sums[column] += x[row] * W[row * columns + column];
    }
  }
  return sums;
}

const split = (vector, parts) => upTo(parts).map((k) =>
  vector.slice((k * vector.length) / parts, ((k + 1) * vector.length) / parts));

function logSumExp(vector) {
  const top = Math.max(...vector);
  return top + Math.log(total(vector.map((x) => Math.exp(x - top))));
}

const softmax = (vector) => vector.map((x) => Math.exp(x - logSumExp(vector)));

// A number as on the board: two decimals, no trailing zeros.
function written(x) {
  const rounded = Math.round(x * 100) / 100 + 0;
  return (Math.abs(x) < 1e5 ? String(rounded) : x.toExponential(1)).replace("-", "−");
}
