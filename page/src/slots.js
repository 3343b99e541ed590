import { element, part, row, select, topRow } from "./dom.js";
import { begin, spoken, t } from "./i18n.js";
import { SLOTS_TEXTS } from "./slots_texts.js";
import { readAddress, writeAddress } from "./state.js";
import { numbersOf, OTHER, probability, slotOf, tagger, vocabularyOf } from "./tagger.js";
import { cut, isChinese } from "./text.js";
import { aligned, twin } from "./twin.js";
import { readSafetensors } from "./weights.js";

const MOST_WORDS = 60;
const KINDS = ["feedforward", "elman", "gru", "bidirectional"];
const EXAMPLES = [
  "arrive Taipei on November 2nd", "leave Taipei on November 2nd",
  "Taipei tomorrow is where our trip ends", "find a flight from Taipei to Tokyo on Friday morning",
  "the city that we want to leave if there is still a window seat is Taipei",
  "十一月二日抵達台北", "十一月二日離開台北", "我們的目的地，帶著兩個小孩和一隻狗，是台北",
];
const { facts, arrays } = readSafetensors(part("taggers").textContent);
const [en, zh] = ["en", "zh"].map((name) => {
  const vocabulary = vocabularyOf(JSON.parse(facts[name]));
  const weights = (kind) => Object.keys(arrays).filter((key) => key.startsWith(`${name}/${kind}/`));
  const network = (kind) => tagger(kind, weights(kind).map((key) => arrays[key]), vocabulary);
  return { ...vocabulary, networks: KINDS.map(network) };
});
let decider; // the number of the network whose decisions are drawn

// A text as words, their numbers, and what each network reads in it; null of no words.
function read(text) {
  const language = isChinese(text) ? zh : en;
  const all = cut(text, language.numbers);
  const words = all.slice(0, MOST_WORDS);
  if (!words.length) return null;
  const numbers = numbersOf(words, language);
  const readings = language.networks.map((network) => network(numbers));
  return { ...language, words, numbers, readings, count: all.length };
}

// How much less probable the slot of each word becomes when another one is hidden, most first.
function decisions({ numbers, networks, readings, tags }) {
  const { tags: found, probabilities } = readings[decider];
  return numbers.flatMap((_, hidden) => {
    const without = networks[decider](numbers.map((number, k) => (k === hidden ? OTHER : number)));
    return found.map((tag, word) => {
      const both = [probabilities[word], without.probabilities[word]];
      const shares = both.map((each) => probability(tags, each, slotOf(tag)));
      return { hidden, word, slot: slotOf(tag), shares, lost: shares[0] - shares[1] };
    }).filter(({ word, slot, lost }) => word !== hidden && slot !== "O" && lost >= 0.1);
  }).sort((one, other) => other.lost - one.lost);
}

const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
const small = (text) => element("small", {}, text);

// What the networks read in the twin, at the word that corresponds to each of the sentence's.
function readTwin({ numbers }, text) {
  const other = read(text);
  const places = aligned(numbers, other.numbers);
  const at = (values) => places.map((k) => values[k]);
  return other.readings.map(({ tags, hidden }) => ({ tags: at(tags), hidden: at(hidden) }));
}

function networkRow(sentence, twins, number) {
  const { tags, probabilities, intent, sure } = sentence.readings[number];
  const slots = tags.map(slotOf);
  const cells = slots.map((slot, word) => {
    const share = probability(sentence.tags, probabilities[word], slot);
    const text = slot === "O" ? "–" : t(`slot_${slot}`);
    const cell = element("td", { className: `slot ${slot}` }, text, small(percent(share)));
    cell.style.setProperty("--share", `${60 * share}%`);
    return cell;
  });
  const same = String(slots) === String(twins?.[number].tags.map(slotOf));
  const label = [t(KINDS[number]), small(twins ? t(same ? "same" : "notices") : "")];
  return row(label, [...cells, element("td", {}, t(`intent_${intent}`), small(percent(sure)))]);
}

// A unit's value a line, from top to bottom: orange above zero, blue below.
function strip(values) {
  const lines = values.map((value, k) => {
    const [share, from, to] = [Math.abs(value), k / values.length, (k + 1) / values.length];
    const colour = `var(--${value > 0 ? "orange" : "blue"}) ${100 * share}%, transparent`;
    return `color-mix(in srgb, ${colour}) ${100 * from}% ${100 * to}%`;
  });
  const cell = element("td", { className: "strip" });
  cell.style.background = `linear-gradient(${lines.join(",")})`;
  return cell;
}

function memoryRows(mine, theirs) {
  const rows = [row(t("memory"), mine.map(strip))];
  if (!theirs) return rows;
  const gaps = mine.map((h, step) => h.map((value, unit) => (value - theirs[step][unit]) / 2));
  return [...rows, row(t("memoryTwin"), theirs.map(strip)), row(t("difference"), gaps.map(strip))];
}

// An arc from each word that was hidden to the one whose slot then became less probable.
function arc({ hidden, word, slot, lost }, heads) {
  const top = 70 - 60 * Math.min(1, Math.abs(hidden - word) / 8);
  const [from, to] = [hidden, word].map((k) => heads[k].offsetLeft + heads[k].offsetWidth / 2);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", `M${from},90 C${from},${top} ${to},${top} ${to},90`);
  path.setAttribute("class", slot);
  path.setAttribute("stroke-width", 1 + 6 * lost);
  return path;
}

function drawSentence(sentence, twins) {
  const { words, numbers, readings } = sentence;
  const heads = words.map((word, k) => [word, small(numbers[k] === OTHER ? t("other") : "")]);
  const top = topRow([...heads, t("intent")]);
  const rows = KINDS.map((_, number) => networkRow(sentence, twins, number));
  const gru = KINDS.indexOf("gru");
  const memory = memoryRows(readings[gru].hidden, twins?.[gru].hidden);
  part("table").replaceChildren(top, ...rows, ...memory);
  const found = decisions(sentence);
  part("arcs").setAttribute("width", part("table").offsetWidth);
  part("arcs").replaceChildren(...found.map((each) => arc(each, [...top.cells].slice(1))));
  const said = found.slice(0, 5).map(({ hidden, word, slot, shares }) => {
    return t("decided", words[hidden], words[word], t(`slot_${slot}`), ...shares.map(percent));
  });
  const lines = said.length ? said : [t("nothingDecided")];
  part("decisions").replaceChildren(...lines.map((line) => element("li", {}, line)));
}

function draw() {
  const text = part("sentence").value;
  const [sentence, other] = [read(text), twin(text)];
  const tooLong = sentence?.count > MOST_WORDS ? t("tooLong", MOST_WORDS, sentence.count) : "";
  part("message").textContent = sentence ? tooLong || (other ? "" : t("noCue")) : t("empty");
  part("twin").disabled = !other;
  part("result").hidden = !sentence;
  if (sentence) drawSentence(sentence, other && readTwin(sentence, other));
  writeAddress({ lang: spoken(), q: text.slice(0, 500), net: KINDS[decider] });
}

function write(text) {
  part("sentence").value = text;
  draw();
}

function readSettings() {
  const { q, net } = readAddress();
  part("sentence").value = q ?? EXAMPLES[0];
  decider = KINDS.includes(net) ? KINDS.indexOf(net) : KINDS.length - 1;
}

function drawAll() {
  const texts = [["", t("choose")], ...EXAMPLES.map((text) => [text, text])];
  const examples = select(t("examples"), texts, "", (text) => text && write(text));
  const names = KINDS.map((kind, number) => [number, t(kind)]);
  const network = select(t("decides"), names, decider, (number) => draw((decider = number)));
  part("examples").replaceChildren(examples.parentElement);
  part("network").replaceChildren(network.parentElement);
  draw();
}

part("sentence").addEventListener("input", draw);
part("twin").addEventListener("click", () => write(twin(part("sentence").value)));
begin(SLOTS_TEXTS, readSettings, drawAll);
