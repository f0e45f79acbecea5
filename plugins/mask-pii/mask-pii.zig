//! Mask-pii replaces e-mail addresses, numbers of payment cards and IPv4 addresses.
//!
//! Parameters: `fields`, the members of JSON objects to look into, else the value is text;
//! `find`, some of email, card, ipv4, else all; `with`, what takes their place, else `***`.
const std = @import("std");
const patterns = @import("patterns.zig");
const wasmill = @import("wasmill");
const Mask = @This();

fields: []const []const u8 = &.{},
find: []const enum { email, card, ipv4 } = &.{ .email, .card, .ipv4 },
with: []const u8 = "***",

pub const description =
    \\{"name": "mask-pii", "version": "1.0.0", "kind": "map", "tags": [],
    \\ "params": {"type": "object", "additionalProperties": false, "properties": {
    \\  "fields": {"type": "array", "items": {"type": "string"}, "description": "members of JSON objects; without, the value is text"},
    \\  "find": {"type": "array", "items": {"enum": ["email", "card", "ipv4"]}, "default": ["email", "card", "ipv4"]},
    \\  "with": {"type": "string", "default": "***", "description": "without quotes, backslashes and control characters"}}}}
;

pub fn init(params: []const u8) !Mask {
    const mask = std.json.parseFromSliceLeaky(Mask, wasmill.gpa, params, .{ .allocate = .alloc_always }) catch |err|
        return wasmill.fail("{t}: not an object of fields, find and with as wasmill plugin inspect tells them", .{err});
    for (mask.with) |c| if (c == '"' or c == '\\' or c < ' ') return wasmill.fail("with has a character that JSON escapes", .{});
    return mask;
}

pub fn map(mask: *Mask, r: wasmill.Record, out: *wasmill.Output) !void {
    var masked: Masked = .{ .mask = mask, .text = r.value, .arena = out.arena };
    if (mask.fields.len == 0) try masked.range(0, r.value.len, false) else masked.members() catch |err| switch (err) {
        error.OutOfMemory => return err,
        else => return wasmill.fail("the value is no JSON object", .{}),
    };
    var result = r;
    result.value = try masked.finish();
    try out.emit(result);
}

/// A text in the making: what is masked up to now, and from where the rest is as it was.
const Masked = struct {
    mask: *const Mask,
    text: []const u8,
    arena: std.mem.Allocator,
    bytes: std.ArrayList(u8) = .empty,
    rest: usize = 0,

    fn finish(m: *Masked) ![]const u8 {
        if (m.rest == 0) return m.text;
        try m.bytes.appendSlice(m.arena, m.text[m.rest..]);
        return m.bytes.items;
    }

    fn members(m: *Masked) !void {
        var json: std.json.Scanner = .initCompleteInput(m.arena, m.text);
        if (try json.next() != .object_begin) return error.SyntaxError;
        while (true) switch (try json.nextAlloc(m.arena, .alloc_if_needed)) {
            .string, .allocated_string => |name| {
                _ = try json.peekNextTokenType(); // goes to where the value begins
                const start = json.cursor;
                try json.skipValue();
                for (m.mask.fields) |field| if (std.mem.eql(u8, field, name)) try m.range(start, json.cursor, true);
            },
            .object_end => return if (try json.next() != .end_of_document) error.SyntaxError,
            else => unreachable,
        };
    }

    /// Masks what is in a part of the text. In JSON a number becomes a string.
    fn range(m: *Masked, start: usize, end: usize, json: bool) !void {
        const s = m.text[0..end];
        var at, var word, var quoted = .{ start, start, false }; // word: where that which at is in ends
        while (at < end) {
            const begins = at >= word;
            if (begins) word = patterns.word(s, at);
            const number = std.ascii.isDigit(s[at]) and (at == start or !std.ascii.isDigit(s[at - 1]));
            const found: ?usize = if (begins or number) for (m.mask.find) |kind| {
                if (switch (kind) {
                    .email => if (begins) patterns.email(s, at, word) else null,
                    .card => if (number) patterns.card(s, at) else null,
                    .ipv4 => if (number and (at == start or patterns.ends(s[at - 1]))) patterns.ipv4(s, at) else null,
                }) |to| break to;
            } else null else null;
            if (found) |to| {
                const quote = if (json and !quoted) "\"" else "";
                for ([_][]const u8{ m.text[m.rest..at], quote, m.mask.with, quote }) |part| try m.bytes.appendSlice(m.arena, part);
                at, m.rest = .{ to, to };
            } else {
                if (json and s[at] == '"') quoted = !quoted;
                at += if (json and s[at] == '\\') 2 else 1;
            }
        }
    }
};

pub const panic = wasmill.panic;
comptime {
    wasmill.plugin(Mask);
}
