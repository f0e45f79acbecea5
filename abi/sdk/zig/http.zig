//! HTTP requests for Zig guests: this one file beside wasmill.zig. They need `grant: [http]`,
//! and that the vertex lists the host: `http: {allow: [api.example.org]}`.
const std = @import("std");

/// What to ask: `try (http.Request{ .url = "http://api.example.org/" }).send(out.arena)`.
pub const Request = struct {
    method: []const u8 = "GET",
    url: []const u8,
    headers: []const u8 = "", // a header block
    body: []const u8 = "",
    timeout: i64 = 0, // ns; 0 = what the vertex allows

    /// Sends the request and waits for the whole answer, which is allocated.
    pub fn send(r: Request, allocator: std.mem.Allocator) error{OutOfMemory}!Response {
        const result = host.http_request(&.{
            .method = .of(r.method),
            .url = .of(r.url),
            .headers = .of(r.headers),
            .body = .of(r.body),
            .timeout = r.timeout,
        });
        const bytes = try allocator.alloc(u8, @as(u32, @truncate(result)));
        host.http_response(bytes.ptr, bytes.len);
        const status: Status = @fromBackingInt(@as(i32, @bitCast(@as(u32, @truncate(result >> 32)))));
        if (@backingInt(status) < 0) return .{ .status = status, .headers = "", .body = bytes };
        const body = 4 + std.mem.readInt(u32, bytes[0..4], .little);
        return .{ .status = status, .headers = bytes[4..body], .body = bytes[body..] };
    }
};

/// That of the answer, a redirect too, or why there is none.
pub const Status = enum(i32) {
    invalid = -1, // the request is malformed
    denied = -2, // the vertex does not list the host, or it is not public
    timeout = -3,
    too_large = -4, // the answer
    failed = -5, // no connection, or it broke
    _,

    /// The number of HTTP; null if there is no answer.
    pub fn code(s: Status) ?u32 {
        return std.math.cast(u32, @backingInt(s));
    }
};

pub const Response = struct {
    status: Status,
    headers: []const u8, // for wasmill.Headers; names are in lower case
    body: []const u8, // without an answer the reason, UTF-8
};

const Span = @import("wasmill.zig").Span;

const host = struct {
    const Raw = extern struct { method: Span, url: Span, headers: Span, body: Span, timeout: i64 };
    extern "wasmill" fn http_request(request: *const Raw) u64;
    extern "wasmill" fn http_response(at: [*]u8, length: usize) void;
};
