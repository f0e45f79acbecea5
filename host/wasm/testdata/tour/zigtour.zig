//! Zigtour does with a record what its value says: all that the SDK is for.
const std = @import("std");
const wasmill = @import("wasmill.zig");

const Tour = struct {
    prefix: []const u8 = "",

    pub const description =
        \\{"name": "zigtour", "kind": "map", "tags": ["odd"]}
    ;

    pub fn init(params: []const u8) !Tour {
        return std.json.parseFromSliceLeaky(Tour, wasmill.gpa, params, .{ .allocate = .alloc_always }) catch |err|
            wasmill.fail("prefix is wrong: {t}", .{err});
    }

    const What = enum { log, now, random, tag, fail, err, panic, headers, twice, drop };

    pub fn map(tour: *Tour, r: wasmill.Record, out: *wasmill.Output) !void {
        var result = r;
        switch (std.meta.stringToEnum(What, r.value) orelse {
            result.value = try std.fmt.allocPrint(out.arena, "{s}{s}", .{ tour.prefix, r.value });
            return out.emit(result);
        }) {
            .log => wasmill.log(.warn, try std.fmt.allocPrint(out.arena, "the key is {s}", .{r.key})),
            .now => {
                result.time = wasmill.now();
                try out.emit(result);
            },
            .random => {
                const bytes = try out.arena.alloc(u8, 16);
                wasmill.random(bytes);
                result.value = bytes;
                try out.emit(result);
            },
            .tag => try out.emitTag(r, "odd"),
            .fail => return wasmill.fail("{s} as you like", .{r.key}),
            .err => return error.AsYouLike,
            .panic => @panic("as you like"),
            .headers => {
                var headers: wasmill.Headers = .{ .rest = r.headers };
                while (headers.next()) |header| {
                    if (!std.mem.eql(u8, header.name, "x")) continue;
                    result.value = header.value;
                    try out.emit(result);
                }
            },
            .twice => for (0..2) |_| try out.emit(r),
            .drop => {},
        }
    }
};

pub const panic = wasmill.panic;
comptime {
    wasmill.plugin(Tour);
}
