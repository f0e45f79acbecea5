//! What personal data looks like. Each function says where what begins at a place ends, if it is
//! there; the caller sees to what comes before.
const std = @import("std");
const ascii = std.ascii;

/// The end of a word: of what can stand before the @ of an address.
pub fn word(s: []const u8, start: usize) usize {
    return span(s, start, "._%+-");
}

/// The end of the e-mail address of which a word may be the beginning.
pub fn email(s: []const u8, start: usize, at: usize) ?usize {
    if (at == start or at == s.len or s[at] != '@') return null;
    var end = span(s, at + 1, ".-");
    while (s[end - 1] == '.' or s[end - 1] == '-') end -= 1; // of the sentence
    const dot = std.mem.findScalarLast(u8, s[at + 1 .. end], '.') orelse return null;
    return if (dot > 0 and end - (at + 1 + dot) > 2) end else null;
}

/// The end of what is letters, digits, bytes of other alphabets, or one of others.
fn span(s: []const u8, start: usize, comptime others: []const u8) usize {
    const belongs = comptime table: {
        var table: [256]bool = undefined;
        for (&table, 0..) |*b, c| b.* = c >= 0x80 or ascii.isAlphanumeric(c);
        for (others) |c| table[c] = true;
        break :table table;
    };
    return for (s[start..], start..) |c, at| {
        if (!belongs[c]) break at;
    } else s.len;
}

/// The end of the 13 to 19 digits, with single spaces or dashes between them, that are the
/// number of a card: it begins with 2 to 6 and passes the test of Luhn.
pub fn card(s: []const u8, start: usize) ?usize {
    if (s[start] < '2' or s[start] > '6') return null;
    var found: ?usize = null;
    var plain: u32, var doubled: u32 = .{ 0, 0 }; // sums, if the digit before was that
    var at, var digits: u32 = .{ start, 0 };
    while (at < s.len and digits < 19) : (at += 1) {
        if (!ascii.isDigit(s[at])) {
            if ((s[at] == ' ' or s[at] == '-') and ascii.isDigit(s[at - 1])) continue;
            break;
        }
        const digit = s[at] - '0';
        const before = plain;
        plain = doubled + digit;
        doubled = before + digit / 5 + digit * 2 % 10;
        digits += 1;
        if (digits >= 13 and plain % 10 == 0 and (at + 1 == s.len or !ascii.isDigit(s[at + 1]))) found = at + 1;
    }
    return found;
}

/// Whether an address can follow.
pub fn ends(before: u8) bool {
    return !ascii.isAlphanumeric(before) and before != '.';
}

/// The end of the four numbers up to 255 that are an address and not, say, a version.
pub fn ipv4(s: []const u8, start: usize) ?usize {
    var at = start;
    for (0..4) |part| {
        if (part > 0 and (at == s.len or s[at] != '.')) return null;
        if (part > 0) at += 1;
        const first = at;
        while (at < s.len and at < first + 3 and ascii.isDigit(s[at])) at += 1;
        _ = std.fmt.parseInt(u8, s[first..at], 10) catch return null;
    }
    const dotted = at + 1 < s.len and s[at] == '.' and ascii.isDigit(s[at + 1]);
    return if (dotted or at < s.len and ascii.isAlphanumeric(s[at])) null else at;
}

const expectEqual = std.testing.expectEqual;

fn whole(comptime find: anytype, s: []const u8) !void {
    try expectEqual(s.len, find(s, 0));
}

test "numbers of cards pass the test of Luhn, at the end of a group of digits" {
    for ([_][]const u8{ "4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "4222222222222", "2223003122003222" }) |s| try whole(card, s);
    for ([_][]const u8{ "4111111111111112", "41111111111111111", "4111  1111 1111 1111", "1234567812345670", "4111", "66666666666666666666666" }) |s| try expectEqual(null, card(s, 0));
    try expectEqual(16, card("4111111111111111 12", 0));
    try expectEqual(16, card("4111111111111111-", 0));
}

test "addresses of hosts have four numbers up to 255" {
    for ([_][]const u8{ "203.0.113.9", "0.0.0.0", "255.255.255.255" }) |s| try whole(ipv4, s);
    for ([_][]const u8{ "1.2.3", "1.2.3.", "1.2.3.256", "1.2.3.4.5", "1.2.3.4a", "1..3.4", "1.2.3.1234", "42" }) |s| try expectEqual(null, ipv4(s, 0));
    try expectEqual(7, ipv4("1.2.3.4.", 0));
}

test "addresses of people have a domain with a dot" {
    for ([_][]const u8{ "bob@example.com", "b.o-b+x_1%@a.b-c.museum", "jörg@bücher.example" }) |s| try expectEqual(s.len, email(s, 0, word(s, 0)));
    for ([_][]const u8{ "bob", "bob@", "@example.com", "bob@host", "bob@.com", "bob@example.c", "bob@..", "bob@-" }) |s| try expectEqual(null, email(s, 0, word(s, 0)));
    try expectEqual(15, email("bob@example.com. And", 0, 3));
}
