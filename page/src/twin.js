// What tells arriving from leaving.
const CUES = [
  ["arrive", "leave"], ["arriving", "leaving"], ["reach", "leave"], ["arrive in", "leave"],
  ["arrives in", "leaves"], ["arriving in", "leaving"], ["reaching", "departing from"],
  ["arrival", "departure"], ["arrivals", "departures"], ["destination", "starting point"],
  ["arrive at", "set off from"], ["get to", "depart from"], ["land in", "take off from"],
  ["ends", "begins"], ["抵達", "離開"], ["目的地", "出發地"], ["到達", "離開"], ["到站", "離站"],
  ["飛往", "飛離"], ["開往", "駛離"], ["前往", "來自"], ["結束", "開始"],
];
const OTHERS = new Map([...CUES, ...CUES.map(([one, other]) => [other, one])].reverse());
const longestFirst = [...OTHERS.keys()].sort((one, other) => other.length - one.length);
const PATTERN = longestFirst.map((cue) => (/\w/.test(cue) ? `\\b${cue}\\b` : cue)).join("|");

// The same sentence, leaving instead of arriving, or the other way around; null if it has no cue.
export function twin(text) {
  const other = text.replace(new RegExp(PATTERN, "gi"), (cue) => OTHERS.get(cue.toLowerCase()));
  return other === text ? null : other;
}

// For each word, the place of the one that corresponds to it in the twin: both begin and end alike.
export function aligned(words, others) {
  const longer = others.length - words.length;
  const first = words.findIndex((word, k) => word !== others[k]);
  const last = words.findLastIndex((word, k) => word !== others[k + longer]);
  return words.map((_, k) => {
    if (first < 0 || k < first) return k;
    return k > last ? k + longer : Math.max(0, Math.min(k, last + longer));
  });
}
