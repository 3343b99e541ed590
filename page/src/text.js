// Texts as words, as in utils/slots/text.py.
const WITHOUT_SPACES = "\\u2e80-\\u2fdf\\u3001-\\u303f\\u3040-\\u30ff\\u3100-\\u312f\\u31a0-\\u31ff"
  + "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40"
  + "\\uff5b-\\uff65\\u{20000}-\\u{3ffff}";
const MARKS = ".,;:!?'\"()\\[\\]\\{\\}¡¿«»‘’“”„…‧·—";
const LETTER = `[^\\s${WITHOUT_SPACES}${MARKS}]`;
const HOLDS_TOGETHER = "[.:'’]|(?<=\\p{Nd})[,\\u00a0\\u2009\\u202f](?=\\p{Nd})";
const WORD = new RegExp(`${LETTER}+(?:(?:${HOLDS_TOGETHER})${LETTER}+)*|\\S`, "gu");
const ZERO_WIDTH = /[\u00ad\u200b\u200e\u200f\u2060\ufeff]/g;

const isChinese = (text) => new RegExp(`[${WITHOUT_SPACES}]`, "u").test(text);

// A word as a tagger knows it: small letters, every digit 0, no marks around it.
function normal(word) {
  const plain = word.replace(ZERO_WIDTH, "").normalize("NFKC").replaceAll("’", "'").toLowerCase();
  return (plain.replace(/^[.,;:!?'"()]+|[.,;:!?'"()]+$/g, "") || plain).replace(/\p{Nd}/gu, "0");
}

// The words of a text, without the marks that are not among the `known` words.
function cut(text, known) {
  const words = text.match(WORD) ?? [];
  return words.filter((word) => /[\p{L}\p{N}]/u.test(word) || known.includes(normal(word)));
}
