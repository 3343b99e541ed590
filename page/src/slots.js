import { element, select } from "./dom.js";
import { speak, spoken, t } from "./i18n.js";
import { SLOTS_TEXTS } from "./slots_texts.js";
import { readAddress, writeAddress } from "./state.js";
import { numbersOf, OTHER, tagger, vocabularyOf } from "./tagger.js";
import { cut, isChinese } from "./text.js";
import { aligned, twin } from "./twin.js";
import { readSafetensors } from "./weights.js";

const MOST_WORDS = 60;
const KINDS = ["feedforward", "elman", "gru", "bidirectional"];
const EXAMPLES = [
  "arrive Taipei on November 2nd", "leave Taipei on November 2nd", "十一月二日抵達台北",
  "十一月二日離開台北", "Taipei tomorrow is where our trip ends",
  "the city that we want to leave if there is still a window seat is Taipei",
  "我們的目的地，帶著兩個小孩和一隻狗，是台北", "find a flight from Taipei to Tokyo on Friday morning",
];
const part = (id) => document.getElementById(id);

const { facts, arrays } = readSafetensors(part("taggers").textContent);
const vocabularies = {};
const taggers = {};
for (const [language, fact] of Object.entries(facts)) {
  vocabularies[language] = vocabularyOf(JSON.parse(fact));
  for (const kind of KINDS) {
    const names = Object.keys(arrays).filter((name) => name.startsWith(`${language}/${kind}/`)).sort();
    const weights = names.map((name) => arrays[name]);
    taggers[`${language}/${kind}`] = tagger(kind, weights, vocabularies[language]);
  }
}

let chosen; // the network whose decisions are drawn

// ------------------------------------------------------------------ reading

// A text as words, their numbers, and what each network reads in it; null of no words.
function read(text) {
  const language = isChinese(text) ? "zh" : "en";
  const vocabulary = vocabularies[language];
  const all = cut(text, vocabulary.numbers);
  const words = all.slice(0, MOST_WORDS);
  if (!words.length) return null;
  const numbers = numbersOf(words, vocabulary);
  const networks = Object.fromEntries(KINDS.map((kind) => [kind, taggers[`${language}/${kind}`]]));
  const readings = Object.fromEntries(KINDS.map((kind) => [kind, networks[kind](numbers)]));
  return { words, numbers, networks, readings, tags: vocabulary.tags, count: all.length };
}

const slotOf = (tag) => (tag === "O" ? "O" : tag.slice(2));

// How probable it is that a word has a slot.
function probability(tags, probabilities, slot) {
  return tags.reduce((sum, tag, k) => sum + (slotOf(tag) === slot ? probabilities[k] : 0), 0);
}

// What hiding each word does to the slot of each other: { hidden, word, before, after, slot }.
function decisions({ numbers, networks, readings, tags }) {
  const { tags: found, probabilities } = readings[chosen];
  return numbers.flatMap((_, hidden) => {
    const without = networks[chosen](numbers.map((number, k) => (k === hidden ? OTHER : number)));
    return found.flatMap((tag, word) => {
      const slot = slotOf(tag);
      const before = probability(tags, probabilities[word], slot);
      const after = probability(tags, without.probabilities[word], slot);
      const other = slotOf(without.tags[word]);
      return word === hidden || before - after < 0.1 ? [] : [{ hidden, word, before, after, slot, other }];
    });
  }).sort((one, other) => other.before - other.after - one.before + one.after);
}

// ------------------------------------------------------------------ drawing

const percent = (share) => `${Math.round(100 * share)} %`;
const row = (label, cells, last = "") => element("tr", {},
  element("th", { scope: "row" }, label), ...cells, element("td", {}, last));

function slotCell(sentence, kind, word) {
  const { tags, probabilities } = sentence.readings[kind];
  const slot = slotOf(tags[word]);
  const sure = probability(sentence.tags, probabilities[word], slot);
  const cell = element("td", { className: `slot ${slot}` }, slot === "O" ? "–" : t(`slot_${slot}`));
  cell.append(element("small", {}, percent(sure)));
  cell.style.setProperty("--sure", `${60 * sure}%`);
  return cell;
}

// Units from top to bottom: orange above zero, blue below.
function strip(values) {
  const colours = values.map((value) => {
    const colour = value > 0 ? "var(--orange)" : "var(--blue)";
    const share = Math.min(100, Math.round(100 * Math.abs(value)));
    return `color-mix(in srgb, ${colour} ${share}%, transparent)`;
  });
  const stops = colours.map((colour, k) => {
    return `${colour} ${(100 * k) / values.length}% ${(100 * (k + 1)) / values.length}%`;
  });
  const cell = element("td", { className: "strip" });
  cell.style.background = `linear-gradient(${stops.join(",")})`;
  return cell;
}

function memoryRows(sentence, other) {
  const mine = sentence.readings.gru.hidden;
  const rows = [row(t("memory"), mine.map(strip))];
  if (!other) return rows;
  const theirs = aligned(sentence.numbers, other.numbers).map((k) => other.readings.gru.hidden[k]);
  const difference = mine.map((h, step) => h.map((value, unit) => (value - theirs[step][unit]) / 2));
  return [...rows, row(t("memoryTwin"), theirs.map(strip)), row(t("difference"), difference.map(strip))];
}

// Arcs over the words: from the one that was hidden to the one whose slot became less probable.
function drawArcs(found, heads) {
  const middle = heads.map((head) => head.offsetLeft + head.offsetWidth / 2);
  const arcs = found.map(({ hidden, word, before, after, slot }) => {
    const [from, to] = [middle[hidden], middle[word]];
    const height = 20 + 60 * Math.min(1, Math.abs(hidden - word) / 8);
    const arc = document.createElementNS("http://www.w3.org/2000/svg", "path");
    arc.setAttribute("d", `M${from},90 C${from},${90 - height} ${to},${90 - height} ${to},90`);
    arc.setAttribute("class", slot);
    arc.setAttribute("stroke-width", 1 + 6 * (before - after));
    return arc;
  });
  part("arcs").setAttribute("width", part("table").offsetWidth);
  part("arcs").replaceChildren(...arcs);
}

function draw() {
  const text = part("sentence").value;
  const sentence = read(text);
  const swapped = twin(text);
  const other = swapped && read(swapped);
  part("twin").disabled = !other;
  part("twin").title = other ? swapped : t("noCue");
  part("result").hidden = !sentence;
  const tooLong = sentence?.count > MOST_WORDS ? t("tooLong", MOST_WORDS, sentence.count) : "";
  part("message").textContent = sentence ? tooLong || (other ? "" : t("noCue")) : t("empty");
  writeAddress({ lang: spoken(), q: text.slice(0, 500), net: chosen });
  if (!sentence) return;

  const { words, numbers, readings } = sentence;
  const heads = words.map((word, k) => element("th", { scope: "col" }, word,
    element("small", {}, numbers[k] === OTHER ? t("other") : "")));
  const rows = KINDS.map((kind) => {
    const { intent, sure, tags } = readings[kind];
    const notices = other && String(tags.map(slotOf)) !== String(
      aligned(numbers, other.numbers).map((k) => slotOf(other.readings[kind].tags[k])));
    const label = element("span", {}, t(kind), element("small", {}, !other ? "" : t(notices ? "notices" : "same")));
    const cells = words.map((_, word) => slotCell(sentence, kind, word));
    return row(label, cells, `${t(`intent_${intent}`)} ${percent(sure)}`);
  });
  const top = element("tr", {}, element("td"), ...heads, element("th", { scope: "col" }, t("intent")));
  part("table").replaceChildren(top, ...rows, ...memoryRows(sentence, other));
  const found = decisions(sentence);
  drawArcs(found, heads);
  part("decisions").replaceChildren(...found.slice(0, 5).map((one) => element("li", {}, t("decided",
    words[one.hidden], words[one.word], t(`slot_${one.slot}`), percent(one.before), percent(one.after),
    t(`slot_${one.other}`)))));
  part("decisions").append(found.length ? "" : t("nothingDecided"));
}

function write(text) {
  part("sentence").value = text;
  draw();
}

function readSettings() {
  const { q, net } = readAddress();
  part("sentence").value = q ?? EXAMPLES[0];
  chosen = KINDS.includes(net) ? net : "bidirectional";
}

function drawAll() {
  const examples = { "": t("choose"), ...Object.fromEntries(EXAMPLES.map((text) => [text, text])) };
  part("examples").replaceChildren(select(t("examples"), examples, (text) => text && write(text)).parentElement);
  const names = Object.fromEntries(KINDS.map((kind) => [kind, t(kind)]));
  const network = select(t("decides"), names, (kind) => draw((chosen = kind)));
  network.value = chosen;
  part("network").replaceChildren(network.parentElement);
  draw();
}

part("sentence").addEventListener("input", draw);
part("twin").addEventListener("click", () => write(twin(part("sentence").value)));
window.addEventListener("hashchange", readSettings);
readSettings();
speak(SLOTS_TEXTS, drawAll);
