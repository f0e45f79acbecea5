// Aggregates, for the guest SDK for AssemblyScript: copy it beside wasmill.ts. An accumulator is
// an @unmanaged class of numbers, which begins as zeros; the host keeps it for each key and
// window. Write mean.ts
//
//	import { Window, aggregate, merging } from "./aggregate";
//	import { Output, Record } from "./wasmill";
//	export { wasmill_abi_v1, wasmill_describe, wasmill_input } from "./wasmill";
//	export { wasmill_add, wasmill_merge, wasmill_result } from "./aggregate";
//
//	@unmanaged
//	class Mean {
//		count: i64 = 0;
//		bytes: i64 = 0;
//	}
//
//	aggregate<Mean>(`{"name": "mean", "kind": "aggregate"}`, (mean: Mean, r: Record, out: Output): void => {
//		if (r.value.length == 0) return out.fail("the value is empty");
//		mean.count++;
//		mean.bytes += r.value.length;
//	}, (mean: Mean, w: Window, out: Output): void => {
//		w.emit(out).value = out.text((mean.bytes / max(mean.count, 1)).toString());
//	});
//
//	merging<Mean>((mean: Mean, other: Mean): void => {
//		mean.count += other.count;
//		mean.bytes += other.bytes;
//	});
//
// and build it as wasmill.ts says. merging and wasmill_merge are for session windows, others do
// without. A result may change the accumulator, such as to start anew. A new version of the plugin
// may add fields to the end of the class: they are zeros in old accumulators.
import { Bytes, Frame, Output, Record, Result, begin, describe, finish } from "./wasmill";

/** Why a result is wanted: the window has ended, it has not, records came after that, within the lateness. */
export enum Firing { END, EARLY, LATE }

/** A window of a key: from start to before end, ns since 1970. For all times they are the limits of i64. */
@unmanaged
export class Window {
  readonly start: i64 = 0;
  readonly end: i64 = 0;
  private k: u64 = 0;
  private a: u64 = 0;
  private first: u32 = 0;
  private count: u32 = 0;
  readonly firing: Firing = 0;
  private reserved: u32 = 0;

  get key(): Bytes { return changetype<Bytes>(changetype<usize>(this) + offsetof<Window>("k")); }

  /**
   * Adds a result with the key of the window, and as time its last moment, or for the window of
   * all times that of the latest record, and returns it for you to change. It is good until the
   * next emit.
   */
  emit(out: Output): Result {
    const result = out.add();
    memory.fill(changetype<usize>(result), 0, offsetof<Result>("input"));
    result.time = this.end == i64.MAX_VALUE ? out.watermark : this.end - 1;
    result.key = this.key;
    return result;
  }
}

/**
 * Makes two functions those of the plugin. add folds a record into the accumulator, or makes it
 * fail, and emits nothing; result emits any number of results of a window, or makes its result
 * fail. description is the JSON of ABI.md §1.
 */
export function aggregate<T>(description: string, add: (acc: T, r: Record, out: Output) => void, result: (acc: T, w: Window, out: Output) => void): void {
  describe(description);
  size = offsetof<T>();
  onAdd = changetype<(acc: usize, r: Record, out: Output) => void>(add);
  onResult = changetype<(acc: usize, w: Window, out: Output) => void>(result);
}

/** Has a function fold the records of other into an accumulator. */
export function merging<T>(merge: (acc: T, other: T) => void): void {
  onMerge = changetype<(acc: usize, other: usize) => void>(merge);
}

// From here on it is the ABI.

let size: i32 = 0;
let onAdd: (acc: usize, r: Record, out: Output) => void = (acc: usize, r: Record, out: Output): void => {};
let onResult: (acc: usize, w: Window, out: Output) => void = (acc: usize, w: Window, out: Output): void => {};
let onMerge: (acc: usize, other: usize) => void = (acc: usize, other: usize): void => {};

@unmanaged
class Fold extends Frame {
  readonly windows: u32 = 0;
  readonly table: usize = 0;
  readonly reserved: u64 = 0;

  at(i: u32): Window { return changetype<Window>(this.table + i * offsetof<Window>()); }
}

/** Copies an accumulator, which may be shorter or longer than it is now. */
function taken(w: Window, out: Output): Bytes {
  const acc = out.alloc(size), from = changetype<Bytes>(changetype<usize>(w) + offsetof<Window>("a"));
  const n = min(from.length, size);
  memory.copy(acc.at, from.at, n);
  memory.fill(acc.at + n, 0, size - n);
  return acc;
}

function answer(out: Output, window: u32, acc: Bytes): void {
  out.input = window;
  const result = out.add();
  result.outcome = 2;
  result.value = acc;
}

export function wasmill_add(fold: Fold): Output {
  const out = begin(fold);
  for (let i: u32 = 0; i < fold.windows; i++) {
    const w = fold.at(i), acc = taken(w, out);
    for (let k = w.first; k < w.first + w.count; k++) {
      out.input = k;
      onAdd(acc.at, changetype<Record>(fold.records + k * offsetof<Record>()), out);
    }
    answer(out, i, acc);
  }
  return finish();
}

export function wasmill_merge(fold: Fold): Output {
  const out = begin(fold);
  for (let i: u32 = 0; i + 1 < fold.windows; i += 2) {
    const acc = taken(fold.at(i), out);
    onMerge(acc.at, taken(fold.at(i + 1), out).at);
    answer(out, i, acc);
  }
  return finish();
}

export function wasmill_result(fold: Fold): Output {
  const out = begin(fold);
  for (let i: u32 = 0; i < fold.windows; i++) {
    const w = fold.at(i), before = taken(w, out), acc = taken(w, out);
    out.input = i;
    onResult(acc.at, w, out);
    if (acc != before) answer(out, i, acc);
  }
  return finish();
}
