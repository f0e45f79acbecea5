//! Zighttp asks for the URL that its record is, with the key as body, and answers with
//! what it got.
const std = @import("std");
const http = @import("http.zig");
const wasmill = @import("wasmill.zig");

const Ask = struct {
    pub const description =
        \\{"name": "zighttp", "kind": "map"}
    ;

    pub fn map(_: *Ask, r: wasmill.Record, out: *wasmill.Output) !void {
        wasmill.sleep(1000);
        const request: http.Request = .{
            .method = "POST",
            .url = r.value,
            .headers = "\x07\x00\x00\x00\x03\x00\x00\x00x-guestyes",
            .body = r.key,
            .timeout = 5 * std.time.ns_per_s,
        };
        const answer = try request.send(out.arena);
        const code = answer.status.code() orelse
            return wasmill.fail("{d}: {s}", .{ @backingInt(answer.status), answer.body });
        var result = r;
        result.value = try std.fmt.allocPrint(out.arena, "{d} {s}", .{ code, answer.body });
        result.headers = answer.headers;
        try out.emit(result);
    }
};

pub const panic = wasmill.panic;
comptime {
    wasmill.plugin(Ask);
}
