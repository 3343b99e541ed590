const [OTHER, FIRST] = [1, 2]; // the numbers of a word that was never seen, of the first known one
const MIDDLE = {
  feedforward: (x, [W, b]) => x.map((vector) => add(product(vector, W), b).map(Math.tanh)),
  elman: rnn,
  gru,
  bidirectional: (x, w) => bidirectional(gru, x, w.slice(0, 3), w.slice(3)),
};
const slotOf = (tag) => tag.slice(tag === "O" ? 0 : 2);

// A network of slot_filling.py, its weights in the order of page/train.py: from the numbers of
// words to their tags, slots, the share of any slot, the intent, and the middle layer's h.
function tagger(kind, weights, { words: { length }, tags, intents }) {
  const [E, ...middle] = weights;
  const [aW, a, tW, t, iW, i, transitions, heat] = middle.splice(-8);
  const units = E.length / (length + FIRST);
  const links = linksOf(tags, transitions, heat[0]);
  return (numbers) => {
    const x = numbers.map((number) => E.subarray(number * units, (number + 1) * units));
    const hidden = MIDDLE[kind](x, middle);
    const scores = hidden.map((h) => add(product(h, tW), t).map((score) => score / heat[0]));
    const heeded = softmax(hidden.map((h) => product(h, aW)[0] + a[0]));
    const intent = softmax(add(product(product(heeded, hidden.flat()), iW), i));
    const best = through(tags, scores, links, (worths) => Math.max(...worths));
    const found = best.map((worths) => tags[argmax(worths)]);
    const probabilities = through(tags, scores, links, logSumExp).map(softmax);
    return {
      hidden, tags: found, probabilities, slots: found.map(slotOf),
      share: (word, slot) => total(probabilities[word].filter((_, k) => slotOf(tags[k]) === slot)),
      intent: intents[argmax(intent)], sure: Math.max(...intent),
    };
  };
}
