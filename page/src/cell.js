import { board } from "./board.js";
import { CELL_TEXTS } from "./cell_texts.js";
import { button, part } from "./dom.js";
import { begin, spoken, t } from "./i18n.js";
import { LSTM_BOARD, solved, TASKS } from "./lstm_board.js";
import { RNN_BOARD } from "./rnn_board.js";
import { readAddress, writeAddress } from "./state.js";

const boards = {
  lstm: board(part("lstm-board"), LSTM_BOARD, changed),
  rnn: board(part("rnn-board"), RNN_BOARD, changed),
};
const done = new Set(); // tasks, of this visit
let tab;

function read() {
  const address = readAddress();
  tab = address.tab === "rnn" ? "rnn" : "lstm";
  const [lstm, rnn] = tab === "lstm" ? [address, {}] : [{}, address];
  const task = TASKS[lstm.task - 1];
  boards.lstm.read(lstm, task ?? LSTM_BOARD.presets.lecture, task);
  boards.rnn.read(rnn, RNN_BOARD.presets.order);
}

function changed() {
  const { task } = boards.lstm.state;
  const number = TASKS.indexOf(task) + 1;
  const right = task && solved(task, boards.lstm);
  if (right) done.add(number);
  part("solved").textContent = right ? t("solved") : "";
  part("task").textContent = task ? t(`task_${number}`) : "";
  [...part("tasks").children].forEach((each, k) => {
    each.textContent = `${k + 1}${done.has(k + 1) ? " ✓" : ""}`;
    each.setAttribute("aria-pressed", k + 1 === number);
  });
  const chosen = task && tab === "lstm" ? { task: number } : {};
  writeAddress({ lang: spoken(), tab, ...chosen, ...boards[tab].settings() });
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

part("tasks").append(...TASKS.map((task) => button("", () => {
  boards.lstm.take(task, {}, task);
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
begin(CELL_TEXTS, read, drawAll);
