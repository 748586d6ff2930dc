//! Writes a corpus to start from into `corpus/TARGET`.

use std::error::Error;
use std::fs;
use std::path::Path;

use chain429_fuzz::{TARGETS, corpus};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (target, _) in TARGETS {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        let seeds = corpus::seeds(&root.join(".."), target)?;
        for seed in &seeds {
            fs::write(folder.join(&seed.name), &seed.bytes)?;
        }
        println!("{} seeds in {}", seeds.len(), folder.display());
    }
    Ok(())
}
