// A page is a form: what its inputs hold is its state, and its address holds it after #, so that a
// link shows others the same. Each has a name; several of one name are a list.
const form = document.forms[0];
const inputs = form.elements;
let store = {};
try {
  store = localStorage;
} catch {} // a browser may refuse to store anything for a file

// A text in the chosen language. TEXTS[key] is [English, 中文]; {0} stands for the first value.
function t(key, ...values) {
  return TEXTS[key][inputs.lang.selectedIndex].replace(/\{(\d)\}/g, (_, number) => values[number]);
}

class Said extends Error {} // what is wrong, for readers

// The settings: what the address held, or the inputs held since, by name, as text.
const settings = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
function held() {
  const data = new FormData(form);
  for (const name of data.keys()) settings[name] = data.getAll(name).join(" ").slice(0, 1000);
  return settings;
}

// Begin a page. build(settings) makes what depends on the language or on what the address holds,
// and changed(input) follows an input; both draw. The language is the address', the one that is
// remembered, or the browser's. The HTML has English, and 中文 as data-zh.
function begin(build, changed) {
  const start = (settings) => {
    for (const each of document.querySelectorAll("[data-zh]")) {
      each.dataset.en ??= each.textContent;
      each.textContent = each.dataset[inputs.lang.value];
    }
    document.documentElement.lang = inputs.lang.selectedOptions[0].lang;
    document.title = document.querySelector("h1").textContent;
    build(settings);
  };
  form.oninput = ({ target }) => {
    if (target !== inputs.lang) return changed(target);
    store.language = target.value;
    return start(held());
  };
  form.onchange = () => history.replaceState(null, "", `#${new URLSearchParams(held())}`);
  window.onhashchange = () => location.reload();
  settings.lang ??= store.language ?? navigator.language.slice(0, 2);
  for (const [name, value] of Object.entries(settings)) {
    const input = inputs.namedItem(name);
    if (input) input.value = value;
    if (input?.selectedIndex < 0) input.selectedIndex = 0; // a select has no such option
  }
  start(settings);
}
