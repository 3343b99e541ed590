import { readAddress } from "./state.js";

// Texts in two languages: TEXTS[key] is [English, 中文]; {0} stands for the first value.
const LANGUAGES = { en: "en", zh: "zh-Hant-TW" };
let texts, language;

export const spoken = () => language;
export const t = (key, ...values) => {
  return texts[key][language === "zh" ? 1 : 0].replace(/\{(\d)\}/g, (_, number) => values[number]);
};

function remembered(value) {
  try { // a browser may refuse to store anything for a file
    if (value) localStorage.setItem("language", value);
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

// Speak the address' language, the remembered one, or the browser's; `changed` draws anew.
export function speak(all, changed) {
  texts = all;
  const say = (wanted) => {
    language = wanted;
    document.documentElement.lang = LANGUAGES[language];
    document.title = t("title");
    for (const part of document.querySelectorAll("[data-t]")) part.textContent = t(part.dataset.t);
    changed();
  };
  const find = () => {
    const wanted = [readAddress().lang, remembered(), navigator.language.slice(0, 2), "en"];
    say(wanted.find((name) => Object.hasOwn(LANGUAGES, name)));
  };
  document.getElementById("language").addEventListener("click", () => {
    const other = language === "en" ? "zh" : "en";
    remembered(other);
    say(other);
  });
  window.addEventListener("hashchange", find);
  find();
}
