// Asstate does with the state of a key what the values of its records say.
import { Clock, State, clockOf, ended, process } from "./process";
import { Bytes, Output, Record, configure } from "./wasmill";
export { wasmill_abi_v1, wasmill_configure, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";

let unknown = "";

configure((params: Bytes): string => {
  unknown = params.toString();
  return "";
});

process(`{"name": "asstate", "kind": "process"}`, (r: Record, state: State, out: Output): void => {
  const words = r.value.toString().split(" "), what = words[0];
  const name = out.text(words.length > 1 ? words[1] : ""), value = out.text(words.slice(2).join(" "));
  if (what == "put") state.putBytes(name, value);
  else if (what == "get") {
    const found = state.getBytes(name);
    out.emit(r).value = found ? found : out.text("none");
  } else if (what == "number") out.emit(r).value = out.text(state.get<u32>(name, 7).toString());
  else if (what == "list") {
    const list = state.list(name);
    while (list.next()) out.emit(r).value = out.text(`${list.name.toString()}=${list.value.toString()}`);
  } else if (what == "delete") state.delete(name);
  else if (what == "wall") state.setTimer(Clock.WALL, name, r.time + 5);
  else if (what == "unset") state.deleteTimer(Clock.WALL, name);
  else out.emit(r).value = out.text(unknown);
}, (t: Record, state: State, out: Output): void => {
  const clock = clockOf(t) == Clock.WALL ? "wall" : "event";
  out.emit(t).value = out.text(`${clock} ${t.value.toString()} ${ended(out)}`);
});
