//! Aggregates, for the guest SDK for Zig: copy it beside wasmill.zig. The host keeps an
//! accumulator for each key and window; you say what becomes of it. Write mean.zig
//!
//! ```
//! const std = @import("std");
//! const aggregate = @import("aggregate.zig");
//! const wasmill = @import("wasmill.zig");
//!
//! const Mean = struct {
//!     pub const description =
//!         \\{"name": "mean", "kind": "aggregate"}
//!     ;
//!     pub const Accumulator = extern struct { count: u64 = 0, bytes: u64 = 0 };
//!
//!     pub fn add(_: *Mean, acc: *Accumulator, r: wasmill.Record) !void {
//!         if (r.value.len == 0) return wasmill.fail("the value is empty", .{});
//!         acc.count += 1;
//!         acc.bytes += r.value.len;
//!     }
//!
//!     pub fn merge(_: *Mean, acc: *Accumulator, other: *const Accumulator) void {
//!         acc.count += other.count;
//!         acc.bytes += other.bytes;
//!     }
//!
//!     pub fn result(_: *Mean, acc: *Accumulator, w: aggregate.Window, out: *wasmill.Output) !void {
//!         const mean = acc.bytes / @max(acc.count, 1);
//!         const text = try std.fmt.allocPrint(out.arena, "{d}", .{mean});
//!         try out.emit(w.record(text, out));
//!     }
//! };
//!
//! pub const panic = wasmill.panic;
//! comptime {
//!     aggregate.plugin(Mean);
//! }
//! ```
//!
//! and build it as wasmill.zig says. An accumulator is an extern struct without pointers and
//! padding, in which all fields have a value to begin with. A new version of the plugin may add
//! fields to its end: in old accumulators they are as they begin. `merge` is for session
//! windows, others do without.
//!
//! That add fails, fails the record, and nothing of acc counts. A result may change the
//! accumulator, such as to start anew; that it fails, fails the result.
const std = @import("std");
const wasmill = @import("wasmill.zig");

/// Why the result of a window is wanted.
pub const Firing = enum(u32) {
    end, // the window has ended
    early, // it has not
    late, // records came after that, within the lateness
    _,
};

/// The end of the window of all times.
pub const global = std.math.maxInt(i64);

/// A window of a key.
pub const Window = struct {
    start: i64, // ns since 1970; [start, end)
    end: i64,
    key: []const u8,
    firing: Firing,

    /// A result with the key of the window, and as time its last moment, or for the window of
    /// all times that of the latest record.
    pub fn record(w: Window, value: []const u8, out: *const wasmill.Output) wasmill.Record {
        return .{ .time = if (w.end == global) out.watermark else w.end - 1, .key = w.key, .value = value };
    }
};

/// Makes a type with an Accumulator, add, result, merge and, as for a map, description and init
/// the plugin of this module.
pub fn plugin(comptime P: type) void {
    const A = P.Accumulator;
    if (@typeInfo(A).@"struct".layout != .@"extern") @compileError("Accumulator is not an extern struct");
    const functions = struct {
        fn add(fold: *const Fold) callconv(.c) *const wasmill.Answer {
            const out = wasmill.begin(&fold.frame);
            for (fold.table[0..fold.windows], 0..) |*w, i| {
                var acc = load(A, w.accumulator);
                for (fold.frame.records[w.first..][0..w.count], w.first..) |*r, input| {
                    out.input = input;
                    wasmill.self(P).add(&acc, r.record()) catch |err| out.addError(err);
                }
                answer(out, i, acc);
            }
            return wasmill.finish();
        }

        fn merge(fold: *const Fold) callconv(.c) *const wasmill.Answer {
            const out = wasmill.begin(&fold.frame);
            for (0..fold.windows / 2) |i| {
                var acc = load(A, fold.table[2 * i].accumulator);
                wasmill.self(P).merge(&acc, &load(A, fold.table[2 * i + 1].accumulator));
                answer(out, 2 * i, acc);
            }
            return wasmill.finish();
        }

        fn result(fold: *const Fold) callconv(.c) *const wasmill.Answer {
            const out = wasmill.begin(&fold.frame);
            for (fold.table[0..fold.windows], 0..) |*w, i| {
                const before = load(A, w.accumulator);
                var acc = before;
                out.input = i;
                const window: Window = .{ .start = w.start, .end = w.end, .key = w.key.bytes(), .firing = w.firing };
                wasmill.self(P).result(&acc, window, out) catch |err| {
                    out.addError(err);
                    continue;
                };
                if (!std.mem.eql(u8, std.mem.asBytes(&acc), std.mem.asBytes(&before))) answer(out, i, acc);
            }
            return wasmill.finish();
        }
    };
    wasmill.exports(P);
    @export(&functions.add, .{ .name = "wasmill_add" });
    @export(&functions.result, .{ .name = "wasmill_result" });
    if (@hasDecl(P, "merge")) @export(&functions.merge, .{ .name = "wasmill_merge" });
}

// From here on it is the ABI.

const Fold = extern struct { frame: wasmill.Frame, windows: usize, table: [*]const Entry, reserved: u64 };

const Entry = extern struct {
    start: i64,
    end: i64,
    key: wasmill.Span,
    accumulator: wasmill.Span,
    first: u32,
    count: u32,
    firing: Firing,
    reserved: u32,
};

comptime {
    if (@sizeOf(usize) == 4 and (@sizeOf(Fold) != 48 or @sizeOf(Entry) != 48)) @compileError("layout");
}

/// Reads an accumulator, which may be shorter or longer than it is now.
fn load(comptime A: type, from: wasmill.Span) A {
    var acc: A = .{};
    const n = @min(from.length, @sizeOf(A));
    @memcpy(std.mem.asBytes(&acc)[0..n], from.at[0..n]);
    return acc;
}

/// Answers with the accumulator of a window.
fn answer(out: *wasmill.Output, window: usize, acc: anytype) void {
    const kept = out.arena.create(@TypeOf(acc)) catch @panic("out of memory");
    kept.* = acc;
    out.input = window;
    out.add(.{ .time = 0, .key = "", .value = std.mem.asBytes(kept) }, .accumulator, "") catch @panic("out of memory");
}
