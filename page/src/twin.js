// The same sentence, leaving instead of arriving, or the other way around.
const ENGLISH = [
  ["arriving in", "leaving"], ["arriving", "leaving"], ["arrives in", "leaves"], ["arrive in", "leave"],
  ["arrive at", "set off from"], ["get to", "depart from"], ["land in", "take off from"],
  ["reaching", "departing from"], ["reach", "leave"], ["arrivals", "departures"],
  ["arrival", "departure"], ["destination", "starting point"], ["ends", "begins"], ["arrive", "leave"],
];
const CHINESE = [
  ["到站", "離站"], ["飛往", "飛離"], ["開往", "駛離"], ["前往", "來自"], ["結束", "開始"],
  ["到達", "離開"], ["目的地", "出發地"], ["抵達", "離開"],
];
const OTHERS = new Map([...ENGLISH, ...CHINESE].flatMap(([one, other]) => [[one, other], [other, one]]));
const longestFirst = [...OTHERS.keys()].sort((one, other) => other.length - one.length);
const CUE = new RegExp(longestFirst.map((cue) => (/\w/.test(cue) ? `\\b${cue}\\b` : cue)).join("|"), "gi");

// The twin, or null without a word that tells arriving from leaving.
export function twin(text) {
  const other = text.replace(CUE, (cue) => OTHERS.get(cue.toLowerCase()));
  return other === text ? null : other;
}

// For each word, the place of the one that corresponds to it in the twin's words.
export function aligned(words, others) {
  const longer = others.length - words.length;
  const same = (k, shift) => words[k] === others[k + shift];
  const firstNew = words.findIndex((_, k) => !same(k, 0));
  const lastNew = words.findLastIndex((_, k) => !same(k, longer));
  return words.map((_, k) => {
    if (firstNew < 0 || k < firstNew) return k;
    return k > lastNew ? k + longer : Math.max(0, Math.min(k, lastNew + longer));
  });
}
