const MOST_WORDS = 60;
const KINDS = [...inputs.net.options].map(({ value }) => value);
const GRU = KINDS.indexOf("gru");
const { facts, arrays } = readSafetensors(part("taggers").textContent);
const [en, zh] = ["en", "zh"].map((name) => {
  const known = JSON.parse(facts[name]);
  const weights = Object.groupBy(Object.keys(arrays), (key) => key.slice(0, -"/00".length));
  const networks = KINDS.map((kind) =>
    tagger(kind, weights[`${name}/${kind}`].map((key) => arrays[key]), known));
  return { networks, known: known.words };
});
const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

// A text as words, their numbers, and what each network reads in it.
function read(text) {
  const { networks, known } = isChinese(text) ? zh : en;
  const all = cut(text, known);
  const words = all.slice(0, MOST_WORDS);
  const numbers = words.map((word) => known.indexOf(normal(word)) + FIRST);
  const readings = words.length ? networks.map((network) => network(numbers)) : [];
  return { networks, words, numbers, readings, count: all.length };
}

// How much less probable the slot of each word becomes when another one is hidden, most first.
function decisions({ networks, numbers, readings }, decider) {
  const { slots, share } = readings[decider];
  return numbers.flatMap((_, hidden) => {
    const without = networks[decider](numbers.with(hidden, OTHER));
    return slots.map((slot, word) => {
      const both = [share(word, slot), without.share(word, slot)];
      return { hidden, word, slot, both, lost: both[0] - both[1] };
    }).filter(({ word, slot, lost }) => word !== hidden && slot !== "O" && lost >= 0.1);
  }).sort((one, other) => other.lost - one.lost);
}

// A slot, which has a colour, or an intent, and how probable it is.
const shareCell = (name, share) => element("td",
  { class: `slot ${name}`, style: `--share: ${60 * share}%` },
  name === "O" ? "–" : t(name), element("small", {}, percent(share)));

const networkRow = ({ slots, share, intent, sure }, kind) => row(inputs.net[kind].text,
  [...slots.map((slot, word) => shareCell(slot, share(word, slot))), shareCell(intent, sure)]);

// A line for each unit, from top to bottom: orange above zero, blue below.
const strip = (values) => element("td", { class: "strip" }, ...values.map((value) =>
  element("i", { class: value < 0 ? "below" : "", style: `opacity: ${Math.abs(value)}` })));

function memoryRows([mine, theirs]) {
  const rows = [row(t("memory"), mine.map(strip))];
  if (!theirs) return rows;
  const gaps = mine.map((h, step) => h.map((value, unit) => (value - theirs[step][unit]) / 2));
  return [...rows, row(t("memoryTwin"), theirs.map(strip)), row(t("difference"), gaps.map(strip))];
}

// An arc from each word that was hidden to the one whose slot then became less probable.
function arc({ hidden, word, slot, lost }) {
  const heads = [...part("table").rows[0].cells].slice(1);
  const [from, to] = [hidden, word].map((k) => heads[k].offsetLeft + heads[k].offsetWidth / 2);
  const top = 70 - 60 * Math.min(1, Math.abs(hidden - word) / 8);
  const d = `M${from},90 C${from},${top} ${to},${top} ${to},90`;
  return element("path", { d, class: slot, "stroke-width": 1 + 6 * lost });
}

function draw() {
  const [sentence, other] = [read(inputs.q.value), twin(inputs.q.value)];
  const { words, numbers, readings, count } = sentence;
  const tooLong = count > MOST_WORDS ? t("tooLong", MOST_WORDS, count) : "";
  part("message").textContent = count ? tooLong : t("empty");
  part("twin").disabled = !other;
  part("result").hidden = !count;
  if (!count) return;
  const heads = words.map((word, k) =>
    [word, element("small", {}, numbers[k] === OTHER ? t("other") : "")]);
  const memories = [readings, other && read(other).readings].map((all) => all?.[GRU].hidden);
  const rows = [...readings.map(networkRow), ...memoryRows(memories)];
  part("table").replaceChildren(topRow([...heads, t("intent")]), ...rows);
  const found = decisions(sentence, inputs.net.selectedIndex);
  part("arcs").setAttribute("width", part("table").offsetWidth);
  part("arcs").replaceChildren(...found.map(arc));
  const lines = found.slice(0, 5).map(({ hidden, word, slot, both }) =>
    t("decided", words[hidden], words[word], t(slot), ...both.map(percent)));
  part("decisions").replaceChildren(...lines.map((line) => element("li", {}, line)));
}

part("examples").onchange = ({ target }) => enter(inputs.q, target.value);
part("twin").onclick = () => enter(inputs.q, twin(inputs.q.value));
begin(draw, draw);
