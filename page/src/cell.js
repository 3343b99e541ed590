import { board } from "./board.js";
import { CELL_TEXTS } from "./cell_texts.js";
import { button } from "./dom.js";
import { speak, spoken, t } from "./i18n.js";
import { LSTM_BOARD, solved, TASKS } from "./lstm_board.js";
import { RNN_BOARD } from "./rnn_board.js";
import { readAddress, writeAddress } from "./state.js";

const part = (id) => document.getElementById(id);
const boards = {
  lstm: board(part("lstm-board"), LSTM_BOARD, changed),
  rnn: board(part("rnn-board"), RNN_BOARD, changed),
};
const done = new Set(); // tasks, of this visit
let tab, task;

function read() {
  const address = readAddress();
  tab = address.tab === "rnn" ? "rnn" : "lstm";
  task = tab === "lstm" && TASKS[address.task - 1] ? address.task - 1 : undefined;
  const starts = { lstm: TASKS[task]?.start ?? LSTM_BOARD.presets.lecture, rnn: RNN_BOARD.presets.order };
  for (const [name, start] of Object.entries(starts)) {
    boards[name].read(name === tab ? address : {}, start, name === "lstm" && TASKS[task]?.locked);
  }
}

function changed() {
  const { lstm } = boards;
  if (task !== undefined && !lstm.state.locked && TASKS[task].locked) task = undefined; // a preset
  const right = task !== undefined && solved(TASKS[task], lstm);
  if (right) done.add(task);
  part("solved").textContent = right ? t("solved") : "";
  part("task").textContent = task === undefined ? "" : t(`task_${task + 1}`);
  [...part("tasks").children].forEach((each, number) => {
    each.textContent = `${number + 1}${done.has(number) ? " ✓" : ""}`;
    each.setAttribute("aria-pressed", number === task);
  });
  writeAddress({
    lang: spoken(), tab, ...(task === undefined ? {} : { task: task + 1 }), ...boards[tab].settings(),
  });
}

function show(name) {
  tab = name;
  for (const each of Object.keys(boards)) {
    part(`${each}-tab`).setAttribute("aria-selected", each === tab);
    part(`${each}-tab`).tabIndex = each === tab ? 0 : -1;
    part(each).hidden = each !== tab;
  }
  changed();
}

function drawAll() {
  Object.values(boards).forEach(({ build }) => build());
  show(tab);
}

part("tasks").append(...TASKS.map(({ start, locked }, number) => button("", () => {
  task = number;
  boards.lstm.take(start, {}, locked);
  boards.lstm.build();
})));
for (const [name, other] of [["lstm", "rnn"], ["rnn", "lstm"]]) {
  part(`${name}-tab`).addEventListener("click", () => show(name));
  part(`${name}-tab`).addEventListener("keydown", ({ key }) => {
    if (!key.startsWith("Arrow")) return;
    show(other);
    part(`${other}-tab`).focus();
  });
}
window.addEventListener("hashchange", read);
read();
speak(CELL_TEXTS, drawAll);
