// Which tags a sentence has, as utils/slots/crf.py says. `scores` are those of each tag of each
// word, `links` what it is worth that the tag of a column follows that of a row.
const NEVER = -1e4;

function linksOf(tags, transitions, temperature) {
  const follows = (before, tag) => !tag.startsWith("I-") || before.slice(2) === tag.slice(2);
  return tags.map((before, row) => tags.map((tag, column) =>
    follows(before, tag) ? transitions[row * tags.length + column] / temperature : NEVER));
}

// What `all` ways to each tag of each word are worth; `first` is added to the first word's scores.
function ways(scores, links, first, all) {
  let worth;
  const next = (score) => score.map((value, tag) => value + all(add(worth, links[tag])));
  return scores.map((score) => (worth = worth ? next(score) : add(score, first)));
}

// The numbers of the best tags (Viterbi); before the first word is O.
function viterbi(tags, scores, links) {
  const first = links[tags.indexOf("O")];
  const best = ways(scores, transposed(links), first, (worths) => Math.max(...worths));
  let onward = tags.map(() => 0); // to the tag after, from each
  return best.reverse().map((worth) => {
    const tag = argmax(add(worth, onward));
    onward = links.map((row) => row[tag]);
    return tag;
  }).reverse();
}

// How probable each tag of each word is: all ways to it, and all ways on (forward-backward).
function tagProbabilities(tags, scores, links) {
  const forward = ways(scores, transposed(links), links[tags.indexOf("O")], logSumExp);
  const backward = ways([...scores].reverse(), links, tags.map(() => 0), logSumExp).reverse();
  return forward.map((worth, step) =>
    softmax(add(worth, backward[step]).map((value, tag) => value - scores[step][tag])));
}
