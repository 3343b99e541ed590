import { linksOf, tagProbabilities, viterbi } from "./crf.js";
import { gru } from "./gru.js";
import { add, argmax, product, softmax } from "./maths.js";
import { bidirectional, rnn } from "./rnn.js";
import { normal } from "./text.js";

export const OTHER = 1; // the number of a word that was never seen; the others begin at 2
const MIDDLE = {
  feedforward: (x, [W, b]) => x.map((vector) => add(product(vector, W), b).map(Math.tanh)),
  elman: rnn,
  gru,
  bidirectional: (x, w) => bidirectional(gru, x, w.slice(0, 3), w.slice(3)),
};

export const vocabularyOf = ({ words, tags, intents }) => {
  return { numbers: new Map(words.map((word, k) => [word, k + 2])), tags, intents };
};
export const numbersOf = (words, { numbers }) => {
  return words.map((word) => numbers.get(normal(word)) ?? OTHER);
};

export const slotOf = (tag) => tag.slice(tag === "O" ? 0 : 2);

// How probable a slot of a word is, given the probabilities of its tags.
export const probability = (tags, probabilities, slot) => {
  return probabilities.reduce((sum, each, k) => sum + (slotOf(tags[k]) === slot ? each : 0), 0);
};

// A network of slot_filling.py, its weights in the order of page/train.py: from the numbers of
// words to their tags, the probabilities of all tags, the intent, and the middle layer's h.
export function tagger(kind, weights, { numbers, tags, intents }) {
  const [E, ...middle] = weights;
  const [aW, a, tW, t, iW, i, transitions, heat] = middle.splice(-8);
  const units = E.length / (numbers.size + 2);
  const links = linksOf(tags, transitions, heat[0]);
  return (words) => {
    const x = words.map((number) => E.subarray(number * units, (number + 1) * units));
    const hidden = MIDDLE[kind](x, middle);
    const scores = hidden.map((h) => add(product(h, tW), t).map((score) => score / heat[0]));
    const shares = softmax(hidden.map((h) => product(h, aW)[0] + a[0]));
    const mean = add(...hidden.map((h, step) => h.map((value) => value * shares[step])));
    const intent = softmax(add(product(mean, iW), i));
    return {
      hidden,
      tags: viterbi(tags, scores, links).map((number) => tags[number]),
      probabilities: tagProbabilities(tags, scores, links),
      intent: intents[argmax(intent)],
      sure: Math.max(...intent),
    };
  };
}
