//! A scanner for JSON, to copy beside wasmill.rs when the parameters or the records of a plugin
//! are flat objects. It finds members and leaves their values as they are written.
#![allow(dead_code)]

/// Iterates over the members of an object: name without quotes, value as it is written. It ends
/// where the object ends or is malformed.
pub fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = skip(object, b"{");
    std::iter::from_fn(move || {
        let (name, after) = value(rest?)?;
        let (value, after) = value(skip(after, b":")?)?;
        rest = skip(after, b",");
        Some((name.strip_prefix(b"\"")?.strip_suffix(b"\"")?, value))
    })
}

/// The text of a string that is written with quotes and escapes; None if it is none.
pub fn text(written: &[u8]) -> Option<String> {
    let inner = written.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut chars = std::str::from_utf8(inner).ok()?.chars();
    let mut units = Vec::with_capacity(inner.len()); // of UTF-16, as \u has it
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits = chars.as_str().get(..4)?;
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    chars = chars.as_str()[4..].chars();
                    continue;
                }
                other => other,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

/// A text as a string of JSON, with quotes and escapes. What is not UTF-8 becomes U+FFFD.
pub fn quoted(text: &[u8]) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c < ' ' => written += &format!("\\u{:04x}", c as u32),
            c => written.push(c),
        }
    }
    written + "\""
}

/// Splits s behind its first value.
fn value(s: &[u8]) -> Option<(&[u8], &[u8])> {
    let s = trim(s);
    let end = match s.first()? {
        b'"' => string(s)?,
        b'{' | b'[' => nested(s)?,
        _ => s.iter().position(|b| b",:]} \t\n\r".contains(b)).unwrap_or(s.len()),
    };
    (end > 0).then(|| s.split_at(end))
}

/// The length of the string at the start of s.
fn string(s: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += s.get(at..)?.iter().position(|&b| b == b'"' || b == b'\\')?;
        if s[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The length of the object or array at the start of s.
fn nested(s: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0);
    loop {
        match s.get(at)? {
            b'"' => at += string(&s[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// What follows a mark, if s starts with it.
fn skip<'a>(s: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    trim(s).strip_prefix(mark)
}

fn trim(s: &[u8]) -> &[u8] {
    let space = s.iter().take_while(|b| b.is_ascii_whitespace()).count();
    &s[space..]
}
