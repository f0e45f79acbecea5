// Astour does with a record what its value says: all that the SDK is for.
import { Scanner, text } from "./json";
import { Bytes, Headers, Level, Output, Record, configure, log, now, plugin, random, utf8 } from "./wasmill";
export { wasmill_abi_v1, wasmill_configure, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";

const ODD = utf8("odd"), X = utf8("x");
const lengths = new Map<string, i32>(); // lives on, while what is made for a record does not
let prefix = "";

configure((params: Bytes): string => {
  const members = new Scanner();
  members.open(params);
  while (members.next()) {
    const value = text(members.value);
    if (text(members.name) != "prefix" || value === null) return `prefix is wrong: ${members.value.toString()}`;
    prefix = value;
  }
  return members.ended ? "" : "no object";
});

plugin(`{"name": "astour", "kind": "map", "tags": ["odd"]}`, (r: Record, out: Output): void => {
  const what = r.value.toString();
  if (what == "log") log(Level.WARN, `the key is ${r.key.toString()}`);
  else if (what == "now") out.emit(r).time = now();
  else if (what == "random") {
    const bytes = out.alloc(16);
    random(bytes);
    out.emit(r).value = bytes;
  } else if (what == "tag") out.emit(r).tag = ODD;
  else if (what == "fail") out.fail(`${r.key.toString()} as you like`);
  else if (what == "err") out.fail("AsYouLike");
  else if (what == "panic") throw new Error("as you like");
  else if (what == "headers") {
    const headers = new Headers(r.headers);
    while (headers.next()) {
      if (headers.name == X) out.emit(r).value = out.slice(headers.value, 0, headers.value.length);
    }
  } else if (what == "twice") {
    out.emit(r);
    out.emit(r);
  } else if (what != "drop") {
    lengths.set(what.substring(0, 2), what.length);
    out.emit(r).value = out.text(prefix + what);
  }
});
