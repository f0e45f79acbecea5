// The guest SDK for AssemblyScript: this one file. Put it beside upper.ts
//
//	import { Output, Record, plugin } from "./wasmill";
//	export { wasmill_abi_v1, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";
//
//	plugin(`{"name": "upper", "kind": "map"}`, (r: Record, out: Output): void => {
//		const value = out.alloc(r.value.length);
//		for (let i = 0; i < value.length; i++) {
//			const c = r.value[i];
//			value[i] = c >= 0x61 && c <= 0x7a ? c - 32 : c;
//		}
//		out.emit(r).value = value;
//	});
//
// and build it with the compiler of npm, assemblyscript 0.28:
//
//	asc upper.ts -O3 --runtime incremental --use abort=wasmill/abort -o upper.wasm
//
// A plugin that takes parameters calls configure, too, and exports wasmill_configure.
//
// Records, results and Bytes are places in memory that the SDK takes from the host and hands
// back: it makes no objects. What your function makes (strings, arrays, maps) is collected as it
// goes, a few objects with each allocation, never all at once; so the runtime is incremental: the
// others never free memory (stub), or only between records and all at once (minimal). What needs a
// JavaScript host is not there: Date.now is now() here, Math.random is random() or out.seed.

/** Bytes in memory. Those of a record are read-only; all last until the next call, but for those of utf8. */
@unmanaged
export class Bytes {
  at: usize = 0;
  length: i32 = 0;

  @inline @operator("[]")
  private get(i: i32): u8 {
    if (<u32>i >= <u32>this.length) throw new RangeError("index out of range");
    return load<u8>(this.at + i);
  }

  @inline @operator("[]=")
  private set(i: i32, b: u8): void {
    if (<u32>i >= <u32>this.length) throw new RangeError("index out of range");
    store<u8>(this.at + i, b);
  }

  @operator("==")
  private equals(other: Bytes): bool {
    return this.length == other.length && memory.compare(this.at, other.at, this.length) == 0;
  }

  /** The text that they are, UTF-8: a new string. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.at, this.length);
  }
}

/** The text as bytes, UTF-8, that last for good: for names and tags, once for each. */
export function utf8(text: string): Bytes {
  const length = String.UTF8.byteLength(text);
  const bytes = changetype<Bytes>(heap.alloc(offsetof<Bytes>() + length));
  bytes.at = changetype<usize>(bytes) + offsetof<Bytes>();
  bytes.length = length;
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, bytes.at);
  return bytes;
}

/** One record in. */
@unmanaged
export class Record {
  readonly time: i64 = 0; // event time, ns since 1970
  private k: u64 = 0;
  private v: u64 = 0;
  private h: u64 = 0;
  readonly port: u32 = 0; // index of the edge it came in by
  readonly kind: u32 = 0; // timers are in process.ts

  @inline get key(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Record>("k")); }
  @inline get value(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Record>("v")); }
  @inline get headers(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Record>("h")); }
}

/** One result out. Setting its parts sets where they are: the bytes are not copied. */
@unmanaged
export class Result {
  time: i64 = 0;
  private k: u64 = 0;
  private v: u64 = 0;
  private h: u64 = 0;
  input: u32 = 0;
  outcome: u32 = 0;
  private t: u64 = 0;

  @inline set key(b: Bytes) { this.k = load<u64>(changetype<usize>(b)); }
  @inline set value(b: Bytes) { this.v = load<u64>(changetype<usize>(b)); }
  @inline set headers(b: Bytes) { this.h = load<u64>(changetype<usize>(b)); }
  /** Sends it to the edges that ask for the tag. */
  @inline set tag(b: Bytes) { this.t = load<u64>(changetype<usize>(b)); }
}

/** A frame: the records of a call. */
@unmanaged
export class Frame {
  readonly count: u32 = 0;
  readonly records: usize = 0;
  readonly now: i64 = 0; // ns since 1970
  readonly watermark: i64 = 0; // ns since 1970
  readonly seed: u64 = 0; // for randomness that repeats when a record is processed again
}

/** Collects the results of a call. */
@unmanaged
export class Output {
  count: u32 = 0; // for the host: these three
  entries: usize = 0;
  reserved: u64 = 0;
  frame: Frame = changetype<Frame>(0);
  input: u32 = 0; // index of the record in hand

  @inline get now(): i64 { return this.frame.now; }
  @inline get watermark(): i64 { return this.frame.watermark; }
  @inline get seed(): u64 { return this.frame.seed; }

  /** Adds a result, a copy of r for you to change, and returns it. It is good until the next emit. */
  @inline emit(r: Record): Result {
    const result = this.add();
    memory.copy(changetype<usize>(result), changetype<usize>(r), offsetof<Result>("input"));
    return result;
  }

  /** Adds an empty result. */
  @inline add(): Result {
    if (next == end) grow();
    const result = changetype<Result>(next);
    next += offsetof<Result>();
    store<u64>(changetype<usize>(result), this.input, offsetof<Result>("input")); // and outcome 0
    store<u64>(changetype<usize>(result), 0, offsetof<Result>("t"));
    return result;
  }

  /** Makes the record in hand fail, with a message. */
  fail(message: string): void {
    const result = this.add();
    memory.fill(changetype<usize>(result), 0, offsetof<Result>("input"));
    result.outcome = 1;
    result.value = this.text(message);
  }

  /** So many bytes, which last until the next call. */
  @inline alloc(length: i32): Bytes {
    const size = (offsetof<Bytes>() + <usize><u32>length + 7) & ~7;
    if (size > chunkSize - used) more(size);
    const bytes = changetype<Bytes>(chunk + used);
    used += size;
    bytes.at = changetype<usize>(bytes) + offsetof<Bytes>();
    bytes.length = length;
    return bytes;
  }

  /** A part of some bytes, not copied. */
  slice(whole: Bytes, start: i32, end: i32): Bytes {
    if (start < 0 || end < start || end > whole.length) throw new RangeError("slice out of range");
    const bytes = this.alloc(0);
    bytes.at = whole.at + start;
    bytes.length = end - start;
    return bytes;
  }

  /** The text as bytes, UTF-8, which last until the next call. */
  text(text: string): Bytes {
    const bytes = this.alloc(String.UTF8.byteLength(text));
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, bytes.at);
    return bytes;
  }
}

/** Goes through the names and values of a header block: `while (headers.next()) …` */
export class Headers {
  private n: u64 = 0;
  private v: u64 = 0;
  private at: usize;
  private end: usize;

  constructor(block: Bytes) {
    this.at = block.at;
    this.end = block.at + block.length;
  }

  next(): bool {
    if (this.at == this.end) return false;
    const name = load<u32>(this.at), value = load<u32>(this.at, 4), at = this.at + 8;
    this.n = <u64>name << 32 | at;
    this.v = <u64>value << 32 | (at + name);
    this.at = at + name + value;
    return true;
  }

  /** That next came to. It lasts until the next next. */
  get name(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Headers>("n")); }
  get value(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Headers>("v")); }
}

// Capabilities, granted as in `grant: [log, clock]`. Those not called are not imported. HTTP
// requests are in http.ts.

export enum Level { DEBUG, INFO, WARN, ERROR }

/** Writes a line to the log of the host. */
export function log(level: Level, line: string): void {
  const bytes = out.text(line);
  hostLog(level, bytes.at, bytes.length);
}

/** The wall clock, ns since 1970. */
@external("wasmill", "now")
export declare function now(): i64;

/** Fills bytes with unpredictable ones. */
export function random(bytes: Bytes): void {
  hostRandom(bytes.at, bytes.length);
}

/** Waits so many ns. */
@external("wasmill", "sleep")
export declare function sleep(ns: i64): void;

@external("wasmill", "log")
declare function hostLog(level: i32, at: usize, length: i32): void;
@external("wasmill", "random")
declare function hostRandom(at: usize, length: i32): void;
@external("wasi_snapshot_preview1", "fd_write")
declare function fdWrite(fd: i32, parts: usize, count: i32, written: usize): i32;

/**
 * Makes a function that of the plugin, which handles each record: emits any number of results, or
 * makes it fail. description is the JSON of ABI.md §1. An error that is thrown fails all records
 * of the call. It has timers come to the function, too, if kinds is 2: they are in process.ts.
 */
export function plugin(description: string, function_: (r: Record, out: Output) => void, kinds: u32 = 0): void {
  describe(description);
  handle = function_;
  lastKind = kinds;
}

/** Has a function called with the parameters, a JSON object, before the first record. It returns what is wrong with them, or "". */
export function configure(function_: (params: Bytes) => string): void {
  check = function_;
}

// From here on it is the ABI.

let description: Bytes = changetype<Bytes>(0);
let handle: (r: Record, out: Output) => void = (r: Record, out: Output): void => {};
let check: (params: Bytes) => string = (params: Bytes): string => "";
let lastKind: u32 = 0;

// Memory that is used again: for the input, the entries, and what alloc gives. A chunk that is
// too small is left behind for one of twice the size: what is lost stays less than what is in use.
const out = changetype<Output>(memory.data(offsetof<Output>(), 8));
let input: usize = 0, inputSize: u32 = 0;
let table: usize = 0, next: usize = 0, end: usize = 0;
let chunk: usize = 0, chunkSize: usize = 0, used: usize = 0;

/** Says what the plugin is: for SDK files of other kinds. */
export function describe(json: string): void {
  description = utf8(json);
}

function pack(b: Bytes): u64 {
  return <u64>b.at << 32 | b.length;
}

function grow(): void {
  const before = next - table, size = max<usize>(2 * before, 1024 * offsetof<Result>());
  table = table ? heap.realloc(table, size) : heap.alloc(size);
  next = table + before;
  end = table + size;
}

function more(size: usize): void {
  chunkSize = max<usize>(2 * chunkSize, max<usize>(size, 0x10000));
  chunk = heap.alloc(chunkSize);
  used = 0;
}

/** Gets ready for a frame. */
export function begin(frame: Frame): Output {
  next = table;
  used = 0;
  out.frame = frame;
  return out;
}

/** Answers with what was collected. */
export function finish(): Output {
  out.entries = table;
  out.count = <u32>((next - table) / offsetof<Result>());
  return out;
}

export function wasmill_abi_v1(): void {}

export function wasmill_describe(): u64 {
  return pack(description);
}

export function wasmill_configure(at: usize, length: i32): u64 {
  const params = out.alloc(0);
  params.at = at;
  params.length = length;
  const wrong = check(params);
  return wrong == "" ? 0 : pack(out.text(wrong));
}

export function wasmill_input(size: u32): usize { // traps where there is no room
  if (size > inputSize) {
    if (input) heap.free(input);
    input = heap.alloc(size);
    inputSize = size;
  }
  return input;
}

export function wasmill_process(frame: Frame): Output {
  begin(frame);
  let r = frame.records;
  for (let i: u32 = 0, count = frame.count; i < count; i++, r += offsetof<Record>()) {
    if (changetype<Record>(r).kind > lastKind) continue;
    out.input = i;
    handle(changetype<Record>(r), out);
  }
  return finish();
}

/** Tells the host what was thrown: `--use abort=wasmill/abort`. */
function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const text = utf8(`${message ? message : "aborted"}, in ${file ? file : "?"}:${line}:${column}`);
  fdWrite(2, changetype<usize>(text), 1, memory.data(4));
  unreachable();
}
