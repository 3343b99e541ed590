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

const beginning = (tags) => tags.map((tag) => (tag === "O" ? 0 : NEVER));

// The numbers of the best tags (Viterbi).
export function viterbi(tags, scores, links) {
  let worth = beginning(tags);
  const cameFrom = scores.map((score) => {
    const ways = tags.map((_, tag) => worth.map((value, before) => value + links[before][tag]));
    worth = ways.map((way, tag) => Math.max(...way) + score[tag]);
    return ways.map(argmax);
  });
  let tag = argmax(worth);
  return cameFrom.reverse().map((before) => {
    const best = tag;
    tag = before[tag];
    return best;
  }).reverse();
}

// How probable each tag of each word is: all ways to it, and all ways on (forward-backward).
export function tagProbabilities(tags, scores, links) {
  let worth = beginning(tags);
  const forward = scores.map((score) => (worth = score.map((value, tag) => {
    return value + logSumExp(worth.map((before, from) => before + links[from][tag]));
  })));
  let after = tags.map(() => 0);
  const backward = [...scores].reverse().map((score) => {
    const here = after;
    after = links.map((row) => logSumExp(row.map((link, tag) => link + score[tag] + here[tag])));
    return here;
  }).reverse();
  return forward.map((ways, step) => softmax(add(ways, backward[step])));
}
