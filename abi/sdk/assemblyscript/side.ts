// Side inputs for AssemblyScript guests: this one file beside wasmill.ts. scale.ts multiplies
// numbers by one that a file or an edge of the pipeline gives:
//
//	import { Side } from "./side";
//	import { Output, Record, plugin } from "./wasmill";
//	export { wasmill_abi_v1, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";
//
//	const factor = new Side("factor");
//	let times: i64 = 1;
//
//	plugin(`{"name": "scale", "kind": "map"}`, (r: Record, out: Output): void => {
//		if (factor.changed()) times = I64.parseInt(factor.value.toString());
//		const text = r.value.toString(), n = I64.parseInt(text);
//		if (n.toString() != text) out.fail("not a number");
//		else out.emit(r).value = out.text((n * times).toString());
//	});
//
// and build it as wasmill.ts says. The vertex says what it is: `sideInputs: {factor: {file: factor.txt}}`.
import { Bytes, utf8 } from "./wasmill";

/** A side input, as an instance has read it. */
export class Side {
  private name: Bytes;
  private version: i64 = 0;
  /** The value as changed read it last; empty before. */
  value: Bytes = utf8("");

  constructor(name: string) {
    this.name = utf8(name);
  }

  /**
   * Looks for another value, and says whether it read one: in the first call that asks, and
   * after each change. It does not change while the records of a call are handled, so that
   * asking for each of them costs no more than a call of the host.
   */
  changed(): bool {
    const name = this.name, version = sideVersion(name.at, name.length);
    if (version == this.version || version < 0) return false;
    const size = sideRead(name.at, name.length, 0, 0);
    heap.free(changetype<usize>(this.value));
    this.value = changetype<Bytes>(heap.alloc(offsetof<Bytes>() + size));
    this.value.at = changetype<usize>(this.value) + offsetof<Bytes>();
    this.value.length = size;
    sideRead(name.at, name.length, this.value.at, size);
    this.version = version;
    return true;
  }

  /** Whether it has read one. */
  get isThere(): bool { return this.version > 0; }
}

@external("wasmill", "side_version")
declare function sideVersion(name: usize, length: i32): i64;
@external("wasmill", "side_read")
declare function sideRead(name: usize, length: i32, to: usize, room: i32): i32;
