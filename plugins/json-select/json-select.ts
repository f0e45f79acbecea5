// Json-select keeps some fields of JSON objects, as they are written and where they stand, and
// drops the others without a look into them.
//
// Parameters: `fields`, the names of those to keep.
import { ARRAY, Scanner, text } from "../../abi/sdk/assemblyscript/json";
import { Bytes, Output, Record, configure, plugin, utf8 } from "../../abi/sdk/assemblyscript/wasmill";
export { wasmill_abi_v1, wasmill_configure, wasmill_describe, wasmill_input, wasmill_process } from "../../abi/sdk/assemblyscript/wasmill";

const BACKSLASH: u8 = 0x5c;

const names: string[] = [];
const quoted: Bytes[] = []; // as most JSON has them
const members = new Scanner();

configure((params: Bytes): string => {
  const elements = new Scanner();
  members.open(params);
  while (members.next()) {
    if (text(members.name) != "fields") return `unknown parameter ${members.name.toString()}`;
    elements.open(members.value, ARRAY);
    while (elements.next()) {
      const name = text(elements.value);
      if (name === null) break;
      names.push(name);
      if (!name.includes("\\")) quoted.push(utf8(`"${name}"`));
    }
    if (!elements.ended) return "fields is not an array of strings";
  }
  return names.length > 0 ? "" : "fields is missing: the names of those to keep";
});

plugin(`{"name": "json-select", "version": "1.0.0", "kind": "map", "tags": [],
  "params": {"type": "object", "required": ["fields"], "additionalProperties": false, "properties": {
    "fields": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "the names of those to keep"}}}}`, select);

function select(r: Record, out: Output): void {
  const kept = out.alloc(r.value.length); // that is enough
  let at = kept.at;
  members.open(r.value);
  while (members.next()) {
    if (!wanted(members.name)) continue;
    at = put(at, at == kept.at ? 0x7b : 0x2c); // { ,
    at = copy(at, members.name);
    at = copy(put(at, 0x3a), members.value); // :
  }
  if (!members.ended) return out.fail("the value is no JSON object");
  if (at == kept.at) at = put(at, 0x7b);
  kept.length = <i32>(put(at, 0x7d) - kept.at);
  out.emit(r).value = kept;
}

function put(at: usize, b: u8): usize {
  store<u8>(at, b);
  return at + 1;
}

function copy(at: usize, bytes: Bytes): usize {
  memory.copy(at, bytes.at, bytes.length);
  return at + bytes.length;
}

/** Whether a name is that of a field to keep. Only one with escapes is made a string for it. */
function wanted(name: Bytes): bool {
  for (let i = 0; i < quoted.length; i++) {
    if (name == quoted[i]) return true;
  }
  for (let i = 0; i < name.length; i++) {
    if (name[i] == BACKSLASH) return names.includes(text(name)!);
  }
  return false;
}
