//! State and timers for Zig guests: this one file beside wasmill.zig. visits.zig counts the
//! visits of each key, and says how many they were when none came for a minute:
//!
//! ```
//! const std = @import("std");
//! const process = @import("process.zig");
//! const wasmill = @import("wasmill.zig");
//!
//! const Visits = struct {
//!     pub const description =
//!         \\{"name": "visits", "kind": "process"}
//!     ;
//!
//!     pub fn record(_: *Visits, r: wasmill.Record, state: process.State, _: *wasmill.Output) !void {
//!         state.put(i64, "count", 1 + (try state.get(i64, "count") orelse 0));
//!         state.setTimer(.event, "silent", r.time +| 60 * std.time.ns_per_s);
//!     }
//!
//!     pub fn timer(_: *Visits, t: process.Timer, state: process.State, out: *wasmill.Output) !void {
//!         const n = try state.get(i64, "count") orelse 0;
//!         var visits = t.record;
//!         visits.value = try std.fmt.allocPrint(out.arena, "{d}", .{n});
//!         try out.emit(visits);
//!         state.delete("count");
//!     }
//! };
//!
//! pub const panic = wasmill.panic;
//! comptime {
//!     process.plugin(Visits);
//! }
//! ```
//!
//! and build it as wasmill.zig says; a plugin that sets no timers does without `timer`. The
//! vertex names the key: `key: {json: user}`. State and timers are those of the key of the
//! record in hand, ABI.md §5.2. What a call wrote is forgotten if one of its records fails.
const std = @import("std");
const wasmill = @import("wasmill.zig");

/// Makes a type with record, timer and, as for a map, description and init the plugin of this
/// module.
pub fn plugin(comptime P: type) void {
    wasmill.handler(P, 2, struct {
        fn handle(r: wasmill.Record, out: *wasmill.Output) anyerror!void {
            const state: State = .{ .record = out.input, .arena = out.arena };
            if (out.kind == 0) return wasmill.self(P).record(r, state, out);
            if (!@hasDecl(P, "timer")) return;
            return wasmill.self(P).timer(.{ .clock = @fromBackingInt(out.kind - 1), .name = r.value, .record = r }, state, out);
        }
    }.handle);
}

pub const Clock = enum(u32) {
    event, // the watermark
    wall,
};

/// A timer that fires.
pub const Timer = struct {
    clock: Clock,
    name: []const u8,
    record: wasmill.Record, // to make results of: its key, and as time when it was to fire
};

/// Says that no record will follow: a plugin that sets a timer each time one fires stops then.
pub fn ended(out: *const wasmill.Output) bool {
    return out.watermark == std.math.maxInt(i64);
}

/// The state of the key of the record in hand. Values are bytes; get and put are for those of
/// a type of fixed size without pointers and padding, such as numbers and extern structs, which
/// are read and written without an allocation.
pub const State = struct {
    record: u32,
    arena: std.mem.Allocator, // of the call

    /// The value under a name. That it has another size fails the record.
    pub fn get(state: State, comptime T: type, name: []const u8) error{Failed}!?T {
        var value: T = undefined;
        const size = host.state_get(state.record, name.ptr, name.len, @ptrCast(&value), @sizeOf(T));
        if (size < 0) return null;
        if (size != @sizeOf(T)) return wasmill.fail("the state {s} has {d} bytes, not {d}", .{ name, size, @sizeOf(T) });
        return value;
    }

    pub fn put(state: State, comptime T: type, name: []const u8, value: T) void {
        state.putFor(T, name, value, 0);
    }

    /// Sets a value for so many ns of event time from the record on; 0 is until it is deleted.
    pub fn putFor(state: State, comptime T: type, name: []const u8, value: T, ttl: i64) void {
        state.putBytes(name, std.mem.asBytes(&value), ttl);
    }

    /// The bytes under a name, which last as long as the call.
    pub fn getBytes(state: State, name: []const u8) error{OutOfMemory}!?[]u8 {
        var small: [128]u8 = undefined;
        const size = host.state_get(state.record, name.ptr, name.len, &small, small.len);
        if (size < 0) return null;
        const value = try state.arena.alloc(u8, @intCast(size));
        if (value.len <= small.len) {
            @memcpy(value, small[0..value.len]);
        } else {
            _ = host.state_get(state.record, name.ptr, name.len, value.ptr, value.len);
        }
        return value;
    }

    pub fn putBytes(state: State, name: []const u8, value: []const u8, ttl: i64) void {
        host.state_put(state.record, name.ptr, name.len, value.ptr, value.len, ttl);
    }

    pub fn delete(state: State, name: []const u8) void {
        host.state_delete(state.record, name.ptr, name.len);
    }

    /// All names that begin with a prefix, with their values as they are now, in the order of
    /// their bytes.
    pub fn list(state: State, prefix: []const u8) error{OutOfMemory}!wasmill.Headers {
        const block = try state.arena.alloc(u8, host.state_list(state.record, prefix.ptr, prefix.len, prefix.ptr, 0));
        _ = host.state_list(state.record, prefix.ptr, prefix.len, block.ptr, block.len);
        return .{ .rest = block };
    }

    /// Sets the timer of a name, or moves it: to when the clock has come to `at`, ns since 1970.
    pub fn setTimer(state: State, clock: Clock, name: []const u8, at: i64) void {
        host.timer_set(state.record, clock, name.ptr, name.len, at);
    }

    pub fn deleteTimer(state: State, clock: Clock, name: []const u8) void {
        host.timer_delete(state.record, clock, name.ptr, name.len);
    }
};

const host = struct {
    extern "wasmill" fn state_get(record: u32, name: [*]const u8, length: usize, to: [*]u8, room: usize) i32;
    extern "wasmill" fn state_put(record: u32, name: [*]const u8, length: usize, value: [*]const u8, size: usize, ttl: i64) void;
    extern "wasmill" fn state_delete(record: u32, name: [*]const u8, length: usize) void;
    extern "wasmill" fn state_list(record: u32, prefix: [*]const u8, length: usize, to: [*]const u8, room: usize) usize;
    extern "wasmill" fn timer_set(record: u32, clock: Clock, name: [*]const u8, length: usize, at: i64) void;
    extern "wasmill" fn timer_delete(record: u32, clock: Clock, name: [*]const u8, length: usize) void;
};
