//! The simulator uses the whole public API of a pool: whoever adds a method adds it there.

use std::fs;
use std::path::Path;

/// The files of pool-core that have methods for users, and for runtimes and managers.
const FILES: &[&str] = &[
    "acquire/mod.rs",
    "builder.rs",
    "close.rs",
    "fill.rs",
    "pool.rs",
    "pooled.rs",
    "release.rs",
    "status.rs",
    "try_acquire.rs",
];

#[test]
fn every_public_method_is_used() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut simulator = String::new();
    for file in fs::read_dir(here.join("src")).expect("a folder") {
        let path = file.expect("a file").path();
        simulator += &fs::read_to_string(path).expect("a readable file");
    }
    let (mut seen, mut unused) = (0, Vec::new());
    for file in FILES {
        let path = here.join("../pool-core/src").join(file);
        let text = fs::read_to_string(&path).expect("a file of pool-core");
        for name in text.lines().filter_map(public_method) {
            seen += 1;
            let is_used = [format!(".{name}("), format!("::{name}(")]
                .iter()
                .chain([&format!("::{name})"), &format!("::{name},")])
                .any(|call| simulator.contains(call.as_str()));
            if !is_used {
                unused.push(name.to_owned());
            }
        }
    }
    assert!(seen > 40, "{seen} public methods found");
    assert!(unused.is_empty(), "the simulator does not use {unused:?}");
}

fn public_method(line: &str) -> Option<&str> {
    let line = line.trim_start().strip_prefix("pub ")?;
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}
