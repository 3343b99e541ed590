import { add, argmax, logSumExp, softmax } from "./maths.js";

// Which tags a sentence has, as utils/slots/crf.py says. `scores` are those of each tag of each
// word, `links` what it is worth that the tag of a column follows that of a row.
const NEVER = -1e4;

export function linksOf(tags, transitions, temperature) {
  const follows = (before, tag) => !tag.startsWith("I-") || before.slice(2) === tag.slice(2);
  return tags.map((before, row) => tags.map((tag, column) => {
    return follows(before, tag) ? transitions[row * tags.length + column] / temperature : NEVER;
  }));
}

// What `all` ways to each tag of each word are worth; `first` is added to the first word's scores.
function ways(scores, links, first, all) {
  let worth;
  const next = (score) => score.map((value, tag) => {
    return value + all(worth.map((before, from) => before + links[from][tag]));
  });
  return scores.map((score) => (worth = worth ? next(score) : add(score, first)));
}

// The numbers of the best tags (Viterbi); before the first word is O.
export function viterbi(tags, scores, links) {
  const best = ways(scores, links, links[tags.indexOf("O")], (worths) => Math.max(...worths));
  let onward = tags.map(() => 0); // to the tag after, from each
  return best.reverse().map((worth) => {
    const tag = argmax(add(worth, onward));
    onward = links.map((row) => row[tag]);
    return tag;
  }).reverse();
}

// How probable each tag of each word is: all ways to it, and all ways on (forward-backward).
export function tagProbabilities(tags, scores, links) {
  const forward = ways(scores, links, links[tags.indexOf("O")], logSumExp);
  const back = links.map((_, to) => links.map((row) => row[to]));
  const backward = ways([...scores].reverse(), back, tags.map(() => 0), logSumExp).reverse();
  return forward.map((worth, step) => {
    return softmax(add(worth, backward[step]).map((value, tag) => value - scores[step][tag]));
  });
}
