import { readAddress } from "./state.js";

// Texts in two languages: TEXTS[key] is [English, 中文]; {0} stands for the first value.
const LANGUAGES = { en: "en", zh: "zh-Hant-TW" };
let texts, language;

export const spoken = () => language;
export const t = (key, ...values) => {
  return texts[key][language === "zh" ? 1 : 0].replace(/\{(\d)\}/g, (_, number) => values[number]);
};

function remembered(value) {
  try {
    return value ? localStorage.setItem("language", value) : localStorage.getItem("language");
  } catch {
    return null; // a browser may refuse to store anything for a file
  }
}

// Begin a page: `read` what the address holds, now and when it changes, and `draw`, also when the
// language changes. It is the address', the remembered one, or the browser's.
export function begin(all, read, draw) {
  texts = all;
  const say = (wanted) => {
    language = wanted;
    document.documentElement.lang = LANGUAGES[language];
    document.title = t("title");
    for (const part of document.querySelectorAll("[data-t]")) part.textContent = t(part.dataset.t);
    draw();
  };
  const start = () => {
    read();
    const wanted = [readAddress().lang, remembered(), navigator.language.slice(0, 2), "en"];
    say(wanted.find((name) => Object.hasOwn(LANGUAGES, name)));
  };
  document.getElementById("language").addEventListener("click", () => {
    const other = language === "en" ? "zh" : "en";
    remembered(other);
    say(other);
  });
  window.addEventListener("hashchange", start);
  start();
}

// An error that says, by the key of a text, what is wrong.
export class Said extends Error {
  constructor(key, ...values) {
    super(key);
    this.values = values;
  }
}
