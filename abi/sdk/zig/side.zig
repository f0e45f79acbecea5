//! Side inputs for Zig guests: this one file beside wasmill.zig. scale.zig multiplies numbers by
//! one that a file or an edge of the pipeline gives:
//!
//! ```
//! const std = @import("std");
//! const Side = @import("side.zig").Side;
//! const wasmill = @import("wasmill.zig");
//!
//! const Scale = struct {
//!     factor: Side = .{ .name = "factor" },
//!     times: u64 = 1,
//!
//!     pub const description =
//!         \\{"name": "scale", "kind": "map"}
//!     ;
//!
//!     pub fn map(s: *Scale, r: wasmill.Record, out: *wasmill.Output) !void {
//!         if (try s.factor.changed()) s.times = number(s.factor.value) orelse 1;
//!         const n = number(r.value) orelse return wasmill.fail("not a number", .{});
//!         var scaled = r;
//!         scaled.value = try std.fmt.allocPrint(out.arena, "{d}", .{n *% s.times});
//!         try out.emit(scaled);
//!     }
//!
//!     fn number(text: []const u8) ?u64 {
//!         return std.fmt.parseInt(u64, std.mem.trim(u8, text, " \n"), 10) catch null;
//!     }
//! };
//!
//! pub const panic = wasmill.panic;
//! comptime {
//!     wasmill.plugin(Scale);
//! }
//! ```
//!
//! The vertex says what it is: `sideInputs: {factor: {file: factor.txt}}`.
const wasmill = @import("wasmill.zig");

/// A side input, as an instance has read it.
pub const Side = struct {
    name: []const u8,
    value: []u8 = &.{}, // as changed read it last
    version: i64 = 0, // of it; 0 = none was read

    /// Looks for another value, and says whether it read one: in the first call that asks, and
    /// after each change. It does not change while the records of a call are handled, so that
    /// asking for each of them costs no more than a call of the host.
    pub fn changed(side: *Side) error{OutOfMemory}!bool {
        const version = host.side_version(side.name.ptr, side.name.len);
        if (version == side.version or version < 0) return false;
        const size = host.side_read(side.name.ptr, side.name.len, side.name.ptr, 0);
        side.value = try wasmill.gpa.realloc(side.value, size);
        _ = host.side_read(side.name.ptr, side.name.len, side.value.ptr, size);
        side.version = version;
        return true;
    }
};

const host = struct {
    extern "wasmill" fn side_version(name: [*]const u8, length: usize) i64;
    extern "wasmill" fn side_read(name: [*]const u8, length: usize, to: [*]const u8, room: usize) usize;
};
