// A vector is an array of numbers; a matrix is one too, row after row, as Keras stores it.
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const linear = (x) => x;
const upTo = (count) => [...Array(count).keys()]; // 0, 1, ... count - 1

function total(vector) {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += vector[k];
  return sum;
}

const mean = (vector) => total(vector) / vector.length;
const cumulated = (vector) => vector.map((_, k) => total(vector.slice(0, k + 1)));
const times = (one, other) => one.map((value, k) => value * other[k]);
const transposed = (rows) => rows[0].map((_, k) => rows.map((row) => row[k]));
const argmax = (vector) => vector.indexOf(Math.max(...vector));
const argmin = (vector) => vector.indexOf(Math.min(...vector));
const clip = (x, low, high) => Math.min(Math.max(x, low), high);

function add(...vectors) {
  const sums = [...vectors[0]];
  for (const vector of vectors.slice(1)) {
    for (let k = 0; k < sums.length; k++) sums[k] += vector[k];
  }
  return sums;
}

// x W: of the rows of W there are as many as numbers in x. Four rows at a time are twice as fast.
function product(x, W) {
  const columns = W.length / x.length;
  const sums = new Array(columns).fill(0);
  let row = 0;
  for (; row < x.length % 4; row++) {
    for (let k = 0; k < columns; k++) sums[k] += x[row] * W[row * columns + k];
  }
  for (; row < x.length; row += 4) {
    const a = x[row], b = x[row + 1], c = x[row + 2], d = x[row + 3];
    const A = row * columns, B = A + columns, C = B + columns, D = C + columns;
    for (let k = 0; k < columns; k++) {
      sums[k] += a * W[A + k] + b * W[B + k] + c * W[C + k] + d * W[D + k];
    }
  }
  return sums;
}

function medianOf(values) {
  const sorted = Float64Array.from(values).sort();
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

// To the nearest whole number; halves to the even one, as in Python.
function rint(x) {
  const near = Math.round(x);
  return near - x === 0.5 && near % 2 ? near - 1 : near;
}

// What is computed of each value, one after the other, with pauses in between.
async function each(values, compute, pause) {
  const found = [];
  for (const value of values) {
    await pause();
    found.push(await compute(value));
  }
  return found;
}

// A function that computes nothing twice.
function remembered(compute) {
  const found = new Map();
  return (key) => {
    if (!found.has(key)) found.set(key, compute(key));
    return found.get(key);
  };
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
