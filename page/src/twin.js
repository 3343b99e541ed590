// What tells arriving from leaving, each in as many words as its twin.
const CUES = [
  ["arrive in", "depart from"], ["arrive at", "depart from"], ["get to", "depart from"],
  ["arriving in", "departing from"], ["arrive", "leave"], ["arrives", "leaves"], ["reach", "leave"],
  ["arriving", "leaving"], ["reaching", "leaving"], ["arrival", "departure"], ["ends", "begins"],
  ["arrivals", "departures"], ["destination", "departure"], ["抵達", "離開"], ["目的地", "出發地"],
  ["到達", "離開"], ["到站", "離站"], ["飛往", "飛離"], ["開往", "駛離"], ["前往", "來自"], ["結束", "開始"],
];
const OTHERS = new Map([...CUES, ...CUES.map(([one, other]) => [other, one])].reverse());
const PATTERN = CUES.flat().map((cue) => (/\w/.test(cue) ? `\\b${cue}\\b` : cue)).join("|");

// The same sentence, leaving instead of arriving, or the other way around; null if it has no cue.
function twin(text) {
  const other = text.replace(new RegExp(PATTERN, "gi"), (cue) => OTHERS.get(cue.toLowerCase()));
  return other === text ? null : other;
}
