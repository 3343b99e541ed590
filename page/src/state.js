// The settings of a page live in its address, after #, so that a link holds them.
let waiting;

export const readAddress = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

export function writeAddress(settings) {
  clearTimeout(waiting); // browsers refuse to be told at every move of a slider
  waiting = setTimeout(() => {
    history.replaceState(null, "", `#${new URLSearchParams(settings)}`);
  }, 150);
}

// The numbers of "3 1 0", or null where there are none, not so many, or something else.
export function numbersIn(text, { least, most = least, limit = Infinity }) {
  const numbers = (text ?? "").split(" ").map((part) => (part ? Number(part) : NaN));
  const fits = numbers.length >= least && numbers.length <= most;
  return fits && numbers.every((x) => Math.abs(x) <= limit) ? numbers : null;
}
