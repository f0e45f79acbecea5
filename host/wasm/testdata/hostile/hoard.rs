// Keeps everything it ever sees, several times over.
#[path = "../../../../abi/sdk/rust/wasmill.rs"]
#[allow(dead_code)]
mod wasmill;
use wasmill::{Output, Plugin, Record};

struct Hoard(Vec<Vec<u8>>);

impl Plugin for Hoard {
    const DESCRIPTION: &'static str = r#"{"name": "hoard", "kind": "map"}"#;

    fn new(_: &str) -> Result<Self, String> {
        Ok(Hoard(Vec::new()))
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        loop {
            self.0.push(vec![7; 1 << 20]);
            if self.0.len() == usize::MAX {
                out.emit(r);
                return Ok(());
            }
        }
    }
}

wasmill::export!(Hoard);
