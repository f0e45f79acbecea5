//! Zigstate does with the state of a key what the values of its records say.
const std = @import("std");
const process = @import("process.zig");
const wasmill = @import("wasmill.zig");

const Words = struct {
    unknown: []const u8 = "",

    pub const description =
        \\{"name": "zigstate", "kind": "process"}
    ;

    pub fn init(params: []const u8) !Words {
        return .{ .unknown = try wasmill.gpa.dupe(u8, params) };
    }

    pub fn record(words: *Words, r: wasmill.Record, state: process.State, out: *wasmill.Output) !void {
        var parts = std.mem.splitScalar(u8, r.value, ' ');
        const what, const name, const value = .{ parts.first(), parts.next() orelse "", parts.rest() };
        var result = r;
        if (std.mem.eql(u8, what, "put")) {
            state.putBytes(name, value, 0);
        } else if (std.mem.eql(u8, what, "get")) {
            result.value = try state.getBytes(name) orelse "none";
            try out.emit(result);
        } else if (std.mem.eql(u8, what, "number")) {
            result.value = try std.fmt.allocPrint(out.arena, "{d}", .{try state.get(u32, name) orelse 7});
            try out.emit(result);
        } else if (std.mem.eql(u8, what, "list")) {
            var list = try state.list(name);
            while (list.next()) |item| {
                result.value = try std.fmt.allocPrint(out.arena, "{s}={s}", .{ item.name, item.value });
                try out.emit(result);
            }
        } else if (std.mem.eql(u8, what, "delete")) {
            state.delete(name);
        } else if (std.mem.eql(u8, what, "wall")) {
            state.setTimer(.wall, name, r.time + 5);
        } else if (std.mem.eql(u8, what, "unset")) {
            state.deleteTimer(.wall, name);
        } else {
            result.value = words.unknown;
            try out.emit(result);
        }
    }

    pub fn timer(_: *Words, t: process.Timer, _: process.State, out: *wasmill.Output) !void {
        var result = t.record;
        result.value = try std.fmt.allocPrint(out.arena, "{t} {s} {}", .{ t.clock, t.name, process.ended(out) });
        try out.emit(result);
    }
};

pub const panic = wasmill.panic;
comptime {
    process.plugin(Words);
}
