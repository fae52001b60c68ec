//! The deliberate faults in `mutants/` still fit the source. The ledger test must fail with each of them.

use std::fs;
use std::path::Path;

#[test]
fn the_lines_of_each_mutant_are_once_in_the_source() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = package.parent().expect("it lies in crates");
    let mut number = 0;
    for file in fs::read_dir(package.join("mutants")).expect("a folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        let (head, change) = text.split_once("--- is\n").expect("lines as they are");
        let (is, becomes) = change
            .split_once("\n--- becomes\n")
            .expect("what they become");
        let (_, name) = head.trim_end().split_once("\nfile: ").expect("a file");
        let source = fs::read_to_string(crates.join(name)).expect("a file of the checkout");
        assert_eq!(source.matches(is).count(), 1, "{}", path.display());
        assert_ne!(is, becomes.trim_end_matches('\n'));
        number += 1;
    }
    assert_eq!(number, 3);
}
