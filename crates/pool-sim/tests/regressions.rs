//! Scripts that have failed once, each in a file of `regressions/`, which says what went wrong.

use std::fs;
use std::path::Path;

use pool_sim::{Script, run};

#[test]
fn what_has_failed_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut seen = 0;
    for file in fs::read_dir(&folder).expect("the folder is there") {
        let path = file.expect("a file of the folder").path();
        let text = fs::read_to_string(&path).expect("a readable file");
        let script: Script = text.parse().expect("a script");
        if let Err(failure) = run(&script) {
            panic!("{}: {failure}\n{script}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 3, "{seen} scripts in {}", folder.display());
}
