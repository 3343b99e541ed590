import { linksOf, tagProbabilities, viterbi } from "./crf.js";
import { gru } from "./gru.js";
import { add, argmax, product, softmax } from "./maths.js";
import { bidirectional, rnn } from "./rnn.js";
import { normal } from "./text.js";

export const OTHER = 1; // the number of a word that was never seen

const MIDDLE = {
  feedforward: (x, [W, b]) => x.map((vector) => add(product(vector, W), b).map(Math.tanh)),
  elman: rnn,
  gru,
  bidirectional: (x, w) => bidirectional(gru, x, w.slice(0, 3), w.slice(3)),
};

// What slot_filling.py's networks know; words are numbered from 2 on.
export const vocabularyOf = ({ words, tags, intents }) => {
  return { numbers: new Map(words.map((word, k) => [word, k + 2])), tags, intents };
};
export const numbersOf = (words, { numbers }) => words.map((word) => numbers.get(normal(word)) ?? OTHER);

// A network from the numbers of words to tags, their probabilities, the intent, and its h: (steps,
// units). The weights are in the order of page/train.py.
export function tagger(kind, weights, { numbers, tags, intents }) {
  const [E, ...middle] = weights;
  const [aW, a, iW, i, tW, t, intentHeat, heat, transitions] = middle.splice(-9);
  const units = E.length / (numbers.size + 2);
  const links = linksOf(tags, transitions, heat[0]);
  return (words) => {
    const x = words.map((number) => E.subarray(number * units, (number + 1) * units));
    const hidden = MIDDLE[kind](x, middle);
    const scores = hidden.map((h) => add(product(h, tW), t).map((score) => score / heat[0]));
    const shares = softmax(hidden.map((h) => product(h, aW)[0] + a[0]));
    const mean = add(...hidden.map((h, step) => h.map((value) => value * shares[step])));
    const intent = softmax(add(product(mean, iW), i).map((score) => score / intentHeat[0]));
    return {
      hidden,
      tags: viterbi(tags, scores, links).map((number) => tags[number]),
      probabilities: tagProbabilities(tags, scores, links),
      intent: intents[argmax(intent)],
      sure: Math.max(...intent),
    };
  };
}
