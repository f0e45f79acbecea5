// Ashttp asks for the URL that its record is, with the key as body, and answers with what it
// got.
import { Request } from "./http";
import { Output, Record, plugin, sleep, utf8 } from "./wasmill";
export { wasmill_abi_v1, wasmill_describe, wasmill_input, wasmill_process } from "./wasmill";

const HEADERS = utf8("\x07\0\0\0\x03\0\0\0x-guestyes");

plugin(`{"name": "ashttp", "kind": "map"}`, (r: Record, out: Output): void => {
  sleep(1000);
  const request = new Request(r.value.toString());
  request.method = "POST";
  request.headers = HEADERS;
  request.body = r.key;
  request.timeout = 5_000_000_000;
  const answer = request.send(out);
  if (answer.status < 0) return out.fail(`${answer.status}: ${answer.body.toString()}`);
  const result = out.emit(r);
  result.value = out.text(`${answer.status} ${answer.body.toString()}`);
  result.headers = answer.headers;
});
