//! Writes a corpus to start from: every recorded answer, `corpus/classify/PROVIDER-CASE`.

use std::error::Error;
use std::fs;
use std::path::Path;

use chain429::domain::case::Case;
use chain429_fuzz::{NOW, decode, encode};
use serde_json::Value;
use serde_json::value::RawValue;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = fs::read_to_string(root.join("../fixtures/dialects.json"))?;
    let corpus = root.join("corpus/classify");
    fs::create_dir_all(&corpus)?;
    let cases: Vec<&RawValue> = serde_json::from_str(&fixtures)?;
    for raw in &cases {
        let names: Value = serde_json::from_str(raw.get())?;
        let case = Case { now: NOW, ..Case::read(raw.get(), NOW)? };
        let bytes = encode(&case);
        let again = decode(&bytes).ok_or("a seed that is no case")?;
        if (again.dialect, &again.headers, &again.body) != (case.dialect, &case.headers, &case.body) {
            return Err(format!("{names} does not survive").into());
        }
        let name = |key: &str| names[key].as_str().unwrap_or_default().to_owned();
        fs::write(corpus.join(format!("{}-{}", name("provider"), name("case"))), bytes)?;
    }
    println!("{} seeds in {}", cases.len(), corpus.display());
    Ok(())
}
