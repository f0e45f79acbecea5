//! Select keeps the records in whose JSON a field has one of some values, and drops the others.
//!
//! Parameters: `field`, its name; `values`, which are wanted, with spaces between them. A value is
//! compared as it is written in the record, without quotes.

#[path = "../../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use wasmill::{Output, Plugin, Record};

struct Select {
    field: String,
    values: String,
}

impl Plugin for Select {
    const DESCRIPTION: &'static str = r#"{
        "name": "nexmark-select", "version": "1.0.0", "kind": "map", "tags": [],
        "params": {"type": "object", "required": ["field", "values"], "additionalProperties": false, "properties": {
            "field": {"type": "string", "description": "the name of a field in the JSON of a record"},
            "values": {"type": "string", "description": "the values it may have, with spaces between them"}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        let mut select = Select { field: String::new(), values: String::new() };
        for (name, value) in json::members(params.as_bytes()) {
            match name {
                b"field" => select.field = json::text(value).ok_or("field is not a string")?,
                b"values" => select.values = json::text(value).ok_or("values is not a string")?,
                _ => return Err(format!("unknown parameter {}", String::from_utf8_lossy(name))),
            }
        }
        if select.field.is_empty() || select.values.is_empty() {
            return Err("field and values are needed".into());
        }
        Ok(select)
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let written = json::members(r.value).find(|m| m.0 == self.field.as_bytes()).ok_or("the record has no such field")?.1;
        let value = written.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(written);
        if self.values.split_ascii_whitespace().any(|wanted| wanted.as_bytes() == value) {
            out.emit(r);
        }
        Ok(())
    }
}

wasmill::export!(Select);
