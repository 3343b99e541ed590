// Which tags a sentence has, as utils/slots/crf.py says. `scores` are those of each tag of each
// word, `links` what it is worth that the tag of a column follows that of a row.
const NEVER = -1e4;

function linksOf(tags, transitions, temperature) {
  const follows = (before, tag) => !tag.startsWith("I-") || before.slice(2) === tag.slice(2);
  return tags.map((before, row) => tags.map((tag, column) =>
    follows(before, tag) ? transitions[row * tags.length + column] / temperature : NEVER));
}

// What `all` ways to each tag of each word are worth; to the first word's, `worth`, and its scores.
const ways = (scores, links, worth, all) => scores.map((score, step) =>
  (worth = add(score, step ? links.map((link) => all(add(worth, link))) : worth)));

// What `all` ways through each tag of each word are worth: to it, and on from it. Before the first
// word is O. Of the best ways (Viterbi) the best tag has the most; of all ways (forward-backward) a
// tag is as probable as its share.
function through(tags, scores, links, all) {
  const forward = ways(scores, transposed(links), links[tags.indexOf("O")], all);
  const backward = ways(scores.toReversed(), links, tags.map(() => 0), all).reverse();
  return forward.map((worth, step) =>
    add(worth, backward[step]).map((value, tag) => value - scores[step][tag]));
}
