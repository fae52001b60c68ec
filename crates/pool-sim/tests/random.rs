//! A few thousand random scripts in a build with debug assertions. The program of this crate runs as many as it is told to.

use pool_sim::{generate, run, shrink};

#[test]
fn a_few_thousand_scripts_keep_all_promises() {
    for seed in 0..3_000 {
        let script = generate(seed);
        if let Err(failure) = run(&script) {
            panic!("seed {seed}: {failure}\n{}", shrink(&script));
        }
    }
}
