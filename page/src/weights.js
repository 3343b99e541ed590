// The numbers of float16, by their bits.
const HALVES = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits >> 15 ? -size : size;
});

// A safetensors file that the page carries, in base64: its arrays by name, each in one row, and its
// texts ("facts") by name.
function readSafetensors(base64) {
  const { buffer } = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const begin = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(buffer.slice(8, begin)));
  const { __metadata__: facts, ...places } = header;
  const arrays = Object.entries(places).map(([name, { data_offsets: [start, stop] }]) => {
    const stored = new Uint16Array(buffer.slice(begin + start, begin + stop));
    return [name, Float64Array.from(stored, (bits) => HALVES[bits])];
  });
  return { facts, arrays: Object.fromEntries(arrays) };
}
