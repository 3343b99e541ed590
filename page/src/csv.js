// What forecast.html reads of a CSV: ISO dates or counted rows; ",", ";" or tabs between fields; a
// point or a comma in numbers. Whatever could be misread is refused, in a line that says where.
const MISSING = new Set(" NA N/A n/a <NA> #N/A NaN nan NULL null None".split(" "));
const CLOCK = /[T ](\d\d:\d\d)(?:(:\d\d)(?:\.0+)?)? ?(Z|[+-]\d\d:?\d\d)?/;
const ISO = new RegExp(`^(\\d{4}-\\d\\d)(?:(-\\d\\d)(?:${CLOCK.source})?)?$`);
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const ALMOST = /^[-+]?[\d.,]+$/; // a number, with other marks
const DATE = /^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}|\d:\d\d|\b(19|20)\d\d(-?Q[1-4])?\b/i; // perhaps
const CALENDAR_YEAR = /^(19|20)\d\d$/;
const DIGITS = /^(19|20)\d\d(0[1-9]|1[0-2])(\d\d)?$/; // 20011231
const TIME = new RegExp("^(date.*|.*time(stamp)?|when|year|month|week|day|hour|quarter|period|ds|ts"
  + "|epoch|unix)$|[日時年月]", "i");
const NAMED = /(?<![a-z])(date|time|datetime|timestamp|when|day|month|year)(?![a-z])/i; // first

// The records of a text: fields, and the line of each. Blank lines are none, but in one column they
// are missing values.
function recordsOf(text, separator) {
  const field = new RegExp(` *(?:"((?:[^"]|"")*)" *|([^"${separator}]*))${separator}`, "gy");
  const records = text.split("\n").map((content, k) => {
    const found = [...(content + separator).matchAll(field)];
    if ((content + separator).replace(field, "")) throw new Said(t("brokenQuote", k + 1));
    const fieldOf = ([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain).trim();
    return { line: k + 1, fields: found.map(fieldOf) };
  });
  const first = records.findIndex(({ fields }) => fields.some(Boolean));
  const single = records[first]?.fields.length === 1;
  return records.slice(first).filter(({ fields }) => single || fields.length > 1 || fields[0]);
}

// A table: its columns by name, see columnOf; the time column's name (undefined: rows are counted);
// and the line of each row.
function readTable(text, decimal) {
  if (/[\0\ufffd]/.test(text)) throw new Said(t("noText"));
  const clean = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").replace(/\n[\s,;]*$/, "");
  const count = (separator) => clean.trimStart().split("\n", 1)[0].split(separator).length;
  const marks = [...(decimal === "," ? ";\t," : ",;\t")]; // the first of those that are as many
  const [separator] = marks.sort((one, other) => count(other) - count(one));
  const [{ fields: names } = { fields: [] }, ...rows] = recordsOf(clean, separator);
  const named = names.some((name) => !NUMBER.test(name) && !ISO.test(name));
  if (!named || !rows.length || new Set(names).size < names.length) throw new Said(t("noNames"));
  const odd = rows.find(({ fields }) => fields.length !== names.length);
  if (odd) throw new Said(t("oddRow", odd.line, odd.fields.length, names.length));
  const lines = rows.map(({ line }) => line);
  const columns = Object.fromEntries(names.map((name, k) =>
    [name, columnOf(name, rows.map(({ fields }) => fields[k]), lines, decimal)]));
  const stamps = names.filter((name) => columns[name].kind === "time");
  const time = stamps.find((name) => NAMED.test(name)) ?? stamps[0];
  const dated = names.find((name) => columns[name].dated);
  if (time === undefined && dated !== undefined) throw new Said(t("notIso", dated));
  if (columns[time]?.wrong) throw columns[time].wrong;
  return { columns, time, lines };
}

// A column: its kind ("time", "number" or "text"), texts, values (milliseconds, on the own clock);
// `wrong`, a complaint, if one can't be read; `dated`, if it may hold times that aren't ISO's.
function columnOf(name, texts, lines, decimal) {
  const there = texts.filter((text) => !MISSING.has(text));
  const complaint = (text) => text === undefined ? null
    : new Said(t("unreadable", lines[texts.indexOf(text)], name, text.slice(0, 30)));
  if (ISO.test(there[0])) {
    const [values, zones] = transposed(texts.map(stampOf));
    const odd = texts.find((_, k) => Number.isNaN(values[k]) || zones[k] !== zones[0]);
    return { kind: "time", texts, values, zone: zones[0], wrong: complaint(odd) };
  }
  const plain = (text) => (decimal === "," ? text.replace(".", "?").replace(",", ".") : text);
  const written = texts.map((text) => plain(text).replace("−", "-"));
  const values = written.map((text) => (NUMBER.test(text) ? Number(text) : NaN));
  const odd = texts.filter((text, k) => !MISSING.has(text) && !(Math.abs(values[k]) <= 1e100));
  const likely = odd.length < there.length / 2 || (ALMOST.test(odd[0]) && !DATE.test(odd[0]));
  if (!there.length || !likely) {
    const dated = TIME.test(name) || there.some((text) => DATE.test(text));
    return { kind: "text", texts, dated };
  }
  const rising = values.every((value, k) => value === values[0] + k);
  const looksDated = (text) => DIGITS.test(text) || (rising && CALENDAR_YEAR.test(text));
  const dated = !(rising && values[0] <= 1) && (TIME.test(name) || there.every(looksDated));
  return { kind: "number", texts, values, dated, wrong: complaint(odd[0]) };
}

// Milliseconds of an ISO time on its own clock, NaN if there is no such day or hour, and its zone,
// as forecast.csv writes it: "+02:00", or "".
function stampOf(text) {
  const [, month, day = "-01", clock = "00:00", seconds = ":00", zone = ""] = ISO.exec(text) ?? [];
  const written = `${month}${day}T${clock}${seconds}.000Z`;
  const time = Date.parse(written);
  const offset = zone === "Z" ? "+00:00" : zone.replace(/^(...):?(\d\d)$/, "$1:$2");
  return [new Date(time).toJSON() === written ? time : NaN, offset];
}
