// HTTP requests for AssemblyScript guests: this one file beside wasmill.ts. They need
// `grant: [http]`, and that the vertex lists the host: `http: {allow: [api.example.org]}`.
//
//	const answer = new Request("http://api.example.org/").send(out);
import { Bytes, Output, utf8 } from "./wasmill";

/** What to ask. */
export class Request {
  method: string = "GET";
  headers: Bytes = none; // a header block
  body: Bytes = none;
  timeout: i64 = 0; // ns; 0 = what the vertex allows

  constructor(public url: string) {}

  /** Sends the request and waits for the whole answer, which lasts until the next call. */
  send(out: Output): Response {
    const method = out.text(this.method), url = out.text(this.url), raw = out.alloc(40).at;
    store<u64>(raw, load<u64>(changetype<usize>(method)));
    store<u64>(raw, load<u64>(changetype<usize>(url)), 8);
    store<u64>(raw, load<u64>(changetype<usize>(this.headers)), 16);
    store<u64>(raw, load<u64>(changetype<usize>(this.body)), 24);
    store<i64>(raw, this.timeout, 32);
    const result = httpRequest(raw), answer = out.alloc(<i32>result);
    httpResponse(answer.at, answer.length);
    const status = <i32>(result >> 32);
    if (status < 0) return new Response(status, none, answer);
    const body = 4 + load<i32>(answer.at);
    return new Response(status, out.slice(answer, 4, body), out.slice(answer, body, answer.length));
  }
}

/** The answer to a request, a redirect too; status is one of Reason if there is none, and body says why. */
export class Response {
  constructor(public status: i32, public headers: Bytes, public body: Bytes) {}
}

export enum Reason {
  INVALID = -1, // the request is malformed
  DENIED = -2, // the vertex does not list the host, or it is not public
  TIMEOUT = -3,
  TOO_LARGE = -4, // the answer
  FAILED = -5, // no connection, or it broke
}

const none = utf8("");

@external("wasmill", "http_request")
declare function httpRequest(request: usize): i64;
@external("wasmill", "http_response")
declare function httpResponse(at: usize, length: i32): void;
