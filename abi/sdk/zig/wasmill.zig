//! The guest SDK for Zig: this one file, no libc. Put it beside upper.zig
//!
//! ```
//! const std = @import("std");
//! const wasmill = @import("wasmill.zig");
//!
//! const Upper = struct {
//!     pub const description =
//!         \\{"name": "upper", "kind": "map"}
//!     ;
//!
//!     pub fn map(_: *Upper, r: wasmill.Record, out: *wasmill.Output) !void {
//!         var upper = r;
//!         upper.value = try std.ascii.allocUpperString(out.arena, r.value);
//!         try out.emit(upper);
//!     }
//! };
//!
//! pub const panic = wasmill.panic;
//! comptime {
//!     wasmill.plugin(Upper);
//! }
//! ```
//!
//! and build it with Zig 0.17:
//!
//! ```sh
//! zig build-exe -target wasm32-freestanding -O safe -fstrip -fno-entry -rdynamic -femit-bin=upper.wasm upper.zig
//! ```
//!
//! A plugin that takes parameters has `pub fn init(params: []const u8) !Upper`, which makes it
//! from a JSON object; without, no pipeline can give it any, and it begins as `.{}`. An error
//! that init or map returns fails the plugin or the record, with the message of `fail` if it is
//! from there, else with its name. A panic fails all records of the call; with `-O fast`
//! nothing is checked, and there is none.
const std = @import("std");

/// For what outlives a call. What a call needs is in `Output.arena`.
pub const gpa: std.mem.Allocator = if (@import("builtin").cpu.arch.isWasm()) std.heap.wasm_allocator else std.heap.page_allocator;

/// One record. Its bytes are read-only and last as long as the call.
pub const Record = struct {
    time: i64, // event time, ns since 1970
    key: []const u8,
    value: []const u8,
    headers: []const u8 = "", // see Headers
    port: u32 = 0, // index of the edge it came in by
};

/// Collects the results of a call.
pub const Output = struct {
    arena: std.mem.Allocator, // what is allocated from it lasts until the next call
    now: i64, // of the call, ns since 1970
    watermark: i64, // ns since 1970
    seed: u64, // for randomness that repeats when a record is processed again
    input: u32 = 0, // index of the record in hand
    kind: u32 = 0, // of it: timers are in process.zig
    entries: std.ArrayList(Entry) = .empty,

    /// Sends a record to the edges without a condition.
    pub inline fn emit(out: *Output, r: Record) !void {
        return out.emitTag(r, "");
    }

    /// Sends a record to the edges that ask for the tag.
    pub inline fn emitTag(out: *Output, r: Record, tag: []const u8) !void {
        return out.add(r, .emit, tag);
    }

    pub inline fn add(out: *Output, r: Record, outcome: Outcome, tag: []const u8) !void {
        (try out.entries.addOne(gpa)).* = .{
            .time = r.time,
            .key = .of(r.key),
            .value = .of(r.value),
            .headers = .of(r.headers),
            .input = out.input,
            .outcome = outcome,
            .tag = .of(tag),
        };
    }

    /// Adds an error for the record in hand.
    pub fn addError(out: *Output, err: anyerror) void {
        @branchHint(.cold);
        out.add(.{ .time = 0, .key = "", .value = text(err) }, .@"error", "") catch @panic("out of memory");
    }
};

/// Goes through the names and values of a header block.
pub const Headers = struct {
    rest: []const u8,

    pub const Header = struct { name: []const u8, value: []const u8 };

    pub fn next(headers: *Headers) ?Header {
        const block = headers.rest;
        if (block.len == 0) return null;
        const name = 8 + std.mem.readInt(u32, block[0..4], .little);
        const value = name + std.mem.readInt(u32, block[4..8], .little);
        headers.rest = block[value..];
        return .{ .name = block[8..name], .value = block[name..value] };
    }
};

/// Fails the record in hand, or the plugin in init, with a message: `return wasmill.fail(…)`.
pub fn fail(comptime format: []const u8, args: anytype) error{Failed} {
    @branchHint(.cold);
    message = std.fmt.allocPrint(arena.allocator(), format, args) catch "out of memory";
    return error.Failed;
}

// Capabilities, granted as in `grant: [log, clock]`. Those not called are not imported. HTTP
// requests are in http.zig.

pub const Level = enum(i32) { debug, info, warn, err };

/// Writes a line to the log of the host.
pub fn log(level: Level, line: []const u8) void {
    host.log(level, line.ptr, line.len);
}

/// The wall clock, ns since 1970.
pub fn now() i64 {
    return host.now();
}

/// Fills a slice with unpredictable bytes.
pub fn random(bytes: []u8) void {
    host.random(bytes.ptr, bytes.len);
}

/// Waits so many ns.
pub fn sleep(ns: i64) void {
    host.sleep(ns);
}

const host = struct {
    extern "wasmill" fn log(level: Level, at: [*]const u8, length: usize) void;
    extern "wasmill" fn now() i64;
    extern "wasmill" fn random(at: [*]u8, length: usize) void;
    extern "wasmill" fn sleep(ns: i64) void;
    extern "wasi_snapshot_preview1" fn fd_write(fd: i32, parts: *const Span, count: usize, written: *usize) u16;
};

/// Has a panic tell the host what it was: `pub const panic = wasmill.panic;` in the main file.
pub const panic = std.debug.FullPanic(struct {
    fn panic(what: []const u8, _: ?usize) noreturn {
        var written: usize = 0;
        _ = host.fd_write(2, &.of(what), 1, &written);
        @trap();
    }
}.panic);

/// Makes a type the plugin of this module.
pub fn plugin(comptime P: type) void {
    handler(P, 0, struct {
        inline fn handle(r: Record, out: *Output) anyerror!void {
            return self(P).map(r, out);
        }
    }.handle);
}

/// Has a function called with the entries of the kinds up to one: timers are in process.zig.
pub fn handler(comptime P: type, comptime kinds: u32, comptime handle: anytype) void {
    exports(P);
    @export(&struct {
        fn process(frame: *const Frame) callconv(.c) *const Answer {
            const out = begin(frame);
            for (frame.records[0..frame.count], 0..) |*r, input| {
                if (r.kind > kinds) continue;
                out.input = input;
                out.kind = r.kind;
                handle(r.record(), out) catch |err| out.addError(err);
            }
            return finish();
        }
    }.process, .{ .name = "wasmill_process" });
}

// From here on it is the ABI.

pub const Span = extern struct {
    at: [*]const u8,
    length: usize,

    pub inline fn of(b: []const u8) Span {
        return .{ .at = b.ptr, .length = b.len };
    }

    pub inline fn bytes(s: Span) []const u8 {
        return s.at[0..s.length];
    }
};

pub const Frame = extern struct { count: usize, records: [*]const In, now: i64, watermark: i64, seed: u64 };

pub const In = extern struct {
    time: i64,
    key: Span,
    value: Span,
    headers: Span,
    port: u32,
    kind: u32,

    pub inline fn record(r: *const In) Record {
        return .{ .time = r.time, .key = r.key.bytes(), .value = r.value.bytes(), .headers = r.headers.bytes(), .port = r.port };
    }
};

pub const Outcome = enum(u32) { emit, @"error", accumulator };
const Entry = extern struct { time: i64, key: Span, value: Span, headers: Span, input: u32, outcome: Outcome, tag: Span };
pub const Answer = extern struct { count: usize, entries: [*]const Entry, reserved: u64 = 0 };

comptime {
    if (@sizeOf(usize) == 4 and (@sizeOf(In) != 40 or @sizeOf(Entry) != 48)) @compileError("layout");
}

var arena: std.heap.ArenaAllocator = .init(gpa);
var input_arena: []align(8) u8 = &.{}; // where the host writes
var output: Output = .{ .arena = arena.allocator(), .now = 0, .watermark = 0, .seed = 0 };
var answer: Answer = undefined;
var message: []const u8 = "";

/// The instance of a plugin, one for each type.
pub inline fn self(comptime P: type) *P {
    const instance = struct {
        var it: P = if (@hasDecl(P, "init")) undefined else .{};
    };
    return &instance.it;
}

/// Gets ready for a frame.
pub fn begin(frame: *const Frame) *Output {
    _ = arena.reset(.retain_capacity);
    output.entries.clearRetainingCapacity();
    output.now = frame.now;
    output.watermark = frame.watermark;
    output.seed = frame.seed;
    return &output;
}

/// Answers with what was collected.
pub fn finish() *const Answer {
    answer = .{ .count = output.entries.items.len, .entries = output.entries.items.ptr };
    return &answer;
}

fn text(err: anyerror) []const u8 {
    return if (err == error.Failed) message else @errorName(err);
}

fn pack(s: []const u8) u64 {
    return @as(u64, @intFromPtr(s.ptr)) << 32 | s.len;
}

/// Exports what plugins of all kinds do.
pub fn exports(comptime P: type) void {
    const functions = struct {
        fn abi() callconv(.c) void {}

        fn describe() callconv(.c) u64 {
            return pack(P.description);
        }

        fn configure(at: [*]const u8, length: usize) callconv(.c) u64 {
            self(P).* = P.init(at[0..length]) catch |err| return pack(text(err));
            return 0;
        }

        fn input(size: usize) callconv(.c) ?[*]const u8 {
            if (size > input_arena.len) {
                gpa.free(input_arena);
                input_arena = &.{};
                input_arena = gpa.alignedAlloc(u8, .@"8", size) catch return null;
            }
            return input_arena.ptr;
        }
    };
    @export(&functions.abi, .{ .name = "wasmill_abi_v1" });
    @export(&functions.describe, .{ .name = "wasmill_describe" });
    @export(&functions.input, .{ .name = "wasmill_input" });
    if (@hasDecl(P, "init")) @export(&functions.configure, .{ .name = "wasmill_configure" });
}
