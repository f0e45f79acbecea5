// State and timers for AssemblyScript guests: this one file beside wasmill.ts. visits.ts counts
// the visits of each key, and says how many they were when none came for a minute:
//
//	import { Clock, State, process } from "./process";
//	import { Output, Record, utf8 } from "./wasmill";
//	export { wasmill_abi_v1, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";
//
//	const MINUTE: i64 = 60_000_000_000;
//	const COUNT = utf8("count"), SILENT = utf8("silent");
//
//	process(`{"name": "visits", "kind": "process"}`, (r: Record, state: State, out: Output): void => {
//		state.put<i64>(COUNT, state.get<i64>(COUNT, 0) + 1);
//		state.setTimer(Clock.EVENT, SILENT, r.time + MINUTE);
//	}, (t: Record, state: State, out: Output): void => {
//		out.emit(t).value = out.text(state.get<i64>(COUNT, 0).toString());
//		state.delete(COUNT);
//	});
//
// and build it as wasmill.ts says. The vertex names the key: `key: {json: user}`. State and timers
// are those of the key of the record in hand, ABI.md §5.2. What a call wrote is forgotten if it
// fails, or one of its records does.
import { Bytes, Headers, Output, Record, plugin } from "./wasmill";

/** The clock of a timer: the watermark, or the wall clock. */
export enum Clock { EVENT, WALL }

type Handler = (r: Record, state: State, out: Output) => void;

let onRecord: Handler = (r: Record, state: State, out: Output): void => {};
let onTimer: Handler = onRecord;

/**
 * Makes two functions those of the plugin: record handles records, timer the timers that fire.
 * These are like records: their name is the value, their time when they were to fire. description
 * is the JSON of ABI.md §1.
 */
export function process(description: string, record: Handler, timer: Handler = record): void {
  onRecord = record;
  onTimer = timer;
  plugin(description, (r: Record, out: Output): void => {
    if (r.kind == 0) onRecord(r, changetype<State>(out), out);
    else onTimer(r, changetype<State>(out), out);
  }, 2);
}

/** Whether it is a timer, for a plugin that has one function for both. */
export function isTimer(r: Record): bool {
  return r.kind != 0;
}

/** The clock of a timer that fires. */
export function clockOf(timer: Record): Clock {
  return <Clock>(timer.kind - 1);
}

/** Says that no record will follow: a plugin that sets a timer each time one fires stops then. */
export function ended(out: Output): bool {
  return out.watermark == i64.MAX_VALUE;
}

const small: usize = memory.data(8, 8);

/** The state of the key of the record in hand. */
@unmanaged
export class State {
  /** The number under a name, or another if there is none. That it is of another size is thrown. */
  get<T extends number>(name: Bytes, otherwise: T): T {
    const size = stateGet(this.record, name.at, name.length, small, sizeof<T>());
    if (size < 0) return otherwise;
    if (size != sizeof<T>()) throw new Error("the state has another type");
    return load<T>(small);
  }

  /** Sets it, for ttl ns of event time from the record on; 0 is until it is deleted. */
  put<T extends number>(name: Bytes, value: T, ttl: i64 = 0): void {
    store<T>(small, value);
    statePut(this.record, name.at, name.length, small, sizeof<T>(), ttl);
  }

  /** The bytes under a name, which last until the next call, or null. */
  getBytes(name: Bytes): Bytes | null {
    const size = stateGet(this.record, name.at, name.length, 0, 0);
    if (size < 0) return null;
    const bytes = changetype<Output>(this).alloc(size);
    stateGet(this.record, name.at, name.length, bytes.at, size);
    return bytes;
  }

  putBytes(name: Bytes, value: Bytes, ttl: i64 = 0): void {
    statePut(this.record, name.at, name.length, value.at, value.length, ttl);
  }

  delete(name: Bytes): void {
    stateDelete(this.record, name.at, name.length);
  }

  /** All names that begin with a prefix, with their values as they are now, in the order of their bytes. */
  list(prefix: Bytes): Headers {
    const block = changetype<Output>(this).alloc(stateList(this.record, prefix.at, prefix.length, 0, 0));
    stateList(this.record, prefix.at, prefix.length, block.at, block.length);
    return new Headers(block);
  }

  /** Sets the timer of a name, or moves it: to when the clock has come to at, ns since 1970. */
  setTimer(clock: Clock, name: Bytes, at: i64): void {
    timerSet(this.record, clock, name.at, name.length, at);
  }

  deleteTimer(clock: Clock, name: Bytes): void {
    timerDelete(this.record, clock, name.at, name.length);
  }

  @inline private get record(): u32 { return changetype<Output>(this).input; }
}

@external("wasmill", "state_get")
declare function stateGet(record: u32, name: usize, length: i32, to: usize, room: i32): i32;
@external("wasmill", "state_put")
declare function statePut(record: u32, name: usize, length: i32, value: usize, size: i32, ttl: i64): void;
@external("wasmill", "state_delete")
declare function stateDelete(record: u32, name: usize, length: i32): void;
@external("wasmill", "state_list")
declare function stateList(record: u32, prefix: usize, length: i32, to: usize, room: i32): i32;
@external("wasmill", "timer_set")
declare function timerSet(record: u32, clock: i32, name: usize, length: i32, at: i64): void;
@external("wasmill", "timer_delete")
declare function timerDelete(record: u32, clock: i32, name: usize, length: i32): void;
