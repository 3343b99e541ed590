import { readAddress } from "./state.js";

// Texts in two languages: TEXTS[key] is [English, 中文]; {0} stands for the first value.
const known = { en: 0, zh: 1 };
let texts = {};
let language = "en";

export const spoken = () => language;
export const t = (key, ...values) =>
  texts[key][known[language]].replace(/\{(\d)\}/g, (_, number) => values[number]);

function remembered(value) {
  try { // a browser may refuse to store anything for a file
    if (value) localStorage.setItem("language", value);
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

// Choose the language: the address', the remembered one, or the browser's; `changed` draws anew.
export function speak(all, changed) {
  texts = all;
  const choose = (wanted) => {
    language = wanted;
    document.documentElement.lang = { en: "en", zh: "zh-Hant-TW" }[language];
    document.title = t("title");
    for (const part of document.querySelectorAll("[data-t]")) part.textContent = t(part.dataset.t);
    changed();
  };
  const fallback = navigator.language.startsWith("zh") ? "zh" : "en";
  const wanted = () => [readAddress().lang, remembered()].find((name) => Object.hasOwn(known, name)) ?? fallback;
  document.getElementById("language").addEventListener("click", () => {
    const other = language === "en" ? "zh" : "en";
    remembered(other);
    choose(other);
  });
  window.addEventListener("hashchange", () => choose(wanted()));
  choose(wanted());
}
