// A scanner for JSON, to copy beside wasmill.ts when the parameters or the records of a plugin
// are JSON. It finds the members of an object, or the elements of an array, and leaves their
// values as they are written:
//
//	const members = new Scanner(); // once: it is used again
//
//	members.open(r.value);
//	while (members.next()) {
//		if (text(members.name) == "user") …
//	}
//	if (!members.ended) out.fail("the value is malformed");
import { Bytes } from "./wasmill";

export const OBJECT: u8 = 0x7b; // {
export const ARRAY: u8 = 0x5b; // [

/** Goes through the members of an object or the elements of an array. What is in them it does not look at. */
export class Scanner {
  private n: u64 = 0;
  private v: u64 = 0;
  private at: usize = 0;
  private end: usize = 0;
  private close: u8 = 0; // what ends it; 0 = it has ended, or is malformed
  private first: bool = false;
  /** Whether it came to the end, and nothing was malformed. */
  ended: bool = false;

  /** Begins with an object, or an array; another value is malformed. */
  open(json: Bytes, mark: u8 = OBJECT): void {
    this.end = json.at + json.length;
    this.at = space(json.at, this.end);
    this.close = this.at < this.end && load<u8>(this.at) == mark ? mark + 2 : 0; // } ]
    this.first = true;
    this.ended = false;
  }

  /** Comes to the next member or element; false where there is none, or it is malformed. */
  next(): bool {
    const close = this.close, end = this.end, first = this.first;
    if (!close) return false;
    this.close = 0;
    this.first = false;
    let at = space(this.at + <usize>first, end);
    if (at == end) return false;
    if (load<u8>(at) == close) {
      this.ended = space(at + 1, end) == end;
      return false;
    }
    if (!first) {
      if (load<u8>(at) != 0x2c) return false; // ,
      at = space(at + 1, end);
    }
    if (close == OBJECT + 2) {
      const name = at;
      at = value(at, end);
      if (!at || load<u8>(name) != 0x22) return false;
      this.n = span(name, at);
      at = space(at, end);
      if (at == end || load<u8>(at) != 0x3a) return false; // :
      at = space(at + 1, end);
    }
    this.at = value(at, end);
    if (!this.at) return false;
    this.v = span(at, this.at);
    this.close = close;
    return true;
  }

  /** The name of a member and the value, as they are written, quotes included. They last until the next next. */
  get name(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Scanner>("n")); }
  get value(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Scanner>("v")); }
}

/** The text of a string that is written with quotes and escapes; null if it is none. */
export function text(written: Bytes): string | null {
  const n = written.length;
  if (n < 2 || written[0] != 0x22 || value(written.at, written.at + n) != written.at + n) return null;
  const inner = String.UTF8.decodeUnsafe(written.at + 1, n - 2);
  let slash = inner.indexOf("\\"), kept = 0, all = "";
  while (slash >= 0) {
    const c = inner.charCodeAt(slash + 1), known = "bfnrt".indexOf(String.fromCharCode(c));
    all += inner.substring(kept, slash);
    kept = slash + 2;
    if (c == 0x75) {
      kept += 4;
      all += String.fromCharCode(<i32>I32.parseInt(inner.substring(slash + 2, kept), 16));
    } else all += known < 0 ? String.fromCharCode(c) : "\b\f\n\r\t".charAt(known);
    slash = inner.indexOf("\\", kept);
  }
  return all + inner.substring(kept);
}

// @ts-ignore: decorator
@inline function span(at: usize, end: usize): u64 {
  return <u64>(end - at) << 32 | at;
}

function space(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) <= 0x20) at++;
  return at;
}

/** Where the value at a place ends; 0 if there is none. */
function value(at: usize, end: usize): usize {
  const start = at;
  let depth = 0;
  for (; at < end; at++) {
    const c = load<u8>(at);
    if (c == 0x22) { // a string
      while (++at < end && load<u8>(at) != 0x22) at += <usize>(load<u8>(at) == 0x5c);
      if (at >= end) return 0;
      if (!depth) return at + 1;
    } else if (c == OBJECT || c == ARRAY) depth++;
    else if (c == OBJECT + 2 || c == ARRAY + 2) {
      if (!depth) break;
      if (!--depth) return at + 1;
    } else if (!depth && (c <= 0x20 || c == 0x2c || c == 0x3a)) break;
  }
  return depth || at == start ? 0 : at;
}
