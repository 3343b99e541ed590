import { Said } from "./i18n.js";

// What forecast.html reads of a CSV: ISO dates or counted rows, "," or ";" between fields, a point
// or a comma in numbers. Whatever could be misread is refused, in a line that says where.
const MISSING = new Set(" NA N/A n/a <NA> #N/A NaN nan NULL null None".split(" "));
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/;
const DATE = /^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}|\d:\d\d/; // perhaps
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

// The records of a text: fields, and the line where each begins. Blank lines are none, but below a
// single name they are missing values.
function recordsOf(text, separator) {
  const quoted = '[ \\t]*"((?:[^"]|"")*)"[ \\t]*';
  const field = new RegExp(`(?:${quoted}|([^"${separator}\\n]*))(${separator}|\\n|$)`, "y");
  const records = [];
  let [fields, line, first] = [[], 1, 1];
  while (field.lastIndex < text.length || fields.length) {
    const match = field.exec(text);
    if (!match) throw new Said("brokenQuote", line);
    fields.push((match[1]?.replaceAll('""', '"') ?? match[2]).trim());
    line += match[0].split("\n").length - 1;
    if (match[3] === separator) continue;
    const counts = fields.some(Boolean) || records[0]?.fields.length === 1;
    if (counts) records.push({ fields, line: first });
    [fields, first] = [[], line];
  }
  return records.slice(0, records.findLastIndex((record) => record.fields.some(Boolean)) + 1);
}

// Milliseconds of an ISO date and time, NaN if there is no such day or hour.
function millisecondsOf(text) {
  const [, year, month, day, ...clock] = (ISO.exec(text) ?? []).map(Number);
  const [hour, minute, second] = clock.map((each) => each || 0);
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const same = time.getUTCDate() === day && time.getUTCHours() === hour;
  return same && minute < 60 && second < 60 ? time.getTime() : NaN;
}

// A table: its columns by name, each { kind: "time", "number" or "text", texts, values }, the time
// column's name (undefined: rows are counted), and the line of each row.
export function readTable(text, decimal = ".") {
  if (/[\0\ufffd]/.test(text)) throw new Said("noText");
  const clean = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  const head = clean.trimStart().split("\n", 1)[0];
  const semicolons = head.split(";").length > head.split(",").length;
  const separator = semicolons || decimal === "," ? ";" : ",";
  const [names, ...rows] = recordsOf(clean, separator);
  const fields = names?.fields ?? [];
  const named = fields.some((name) => !NUMBER.test(name) && !ISO.test(name));
  if (!named || !rows.length || new Set(fields).size < fields.length) throw new Said("noNames");
  const odd = rows.find((row) => row.fields.length !== fields.length);
  if (odd) throw new Said("oddRow", odd.line, odd.fields.length, fields.length);
  const columns = Object.fromEntries(fields.map((name, k) => {
    return [name, columnOf(name, k, rows, decimal)];
  }));
  const time = fields.find((name) => columns[name].kind === "time");
  const dated = fields.find((name) => columns[name].texts.some((each) => DATE.test(each)));
  if (!time && dated) throw new Said("notIso", dated);
  return { columns, time, lines: rows.map(({ line }) => line) };
}

function columnOf(name, k, rows, decimal) {
  const texts = rows.map(({ fields }) => fields[k]);
  const plain = (text) => (decimal === "," ? text.replace(".", "?").replace(",", ".") : text);
  const there = texts.filter((text) => !MISSING.has(text));
  const refuse = (text) => {
    throw new Said("unreadable", rows[texts.indexOf(text)].line, name, text.slice(0, 30));
  };
  if (there.length && ISO.test(there[0])) {
    const values = texts.map(millisecondsOf);
    if (values.some(Number.isNaN)) refuse(texts[values.findIndex(Number.isNaN)]);
    return { kind: "time", texts, values };
  }
  const wrong = there.filter((text) => !NUMBER.test(plain(text)));
  const odd = wrong.find((text) => !DATE.test(text));
  if (odd && (wrong.length < there.length / 2 || /^[-+]?[\d.]*[.,]\d+$/.test(odd))) refuse(odd);
  if (wrong.length || !there.length) return { kind: "text", texts };
  const values = texts.map((text) => (MISSING.has(text) ? NaN : Number(plain(text))));
  return { kind: "number", texts, values };
}
