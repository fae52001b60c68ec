//! Scripts: the same seed makes the same, the same script does the same, and its text is the whole of it.

use pool_sim::{Script, generate, run};

#[test]
fn a_script_is_read_from_its_own_text() {
    for seed in 0..200 {
        let script = generate(seed);
        let again: Script = script.to_string().parse().expect("its own text");
        assert_eq!(again, script, "seed {seed}");
    }
}

#[test]
fn a_script_always_does_the_same() {
    for seed in 0..200 {
        let first = run(&generate(seed)).expect("a good seed");
        assert_eq!(run(&generate(seed)), Ok(first), "seed {seed}");
    }
}

#[test]
fn what_is_not_a_script_is_named() {
    for (text, word) in [
        ("set maxsise=1", "maxsise=1"),
        ("acquire 0; aquire 0", "aquire 0"),
        ("connect: ok gat", "gat"),
    ] {
        let error = text.parse::<Script>().expect_err("not a script");
        assert_eq!(error.to_string(), format!("a script has no {word:?}"));
    }
}

/// A simulator that hands nothing out proves nothing.
#[test]
fn the_usual_scripts_see_everything() {
    let mut seen = pool_sim::Coverage::default();
    for seed in 0..4_000 {
        seen += run(&generate(seed)).expect("a good seed");
    }
    assert_eq!(seen.runs, 4_000);
    for (what, count) in [
        ("served", seen.served),
        ("pings", seen.pings),
        ("time-outs", seen.timeouts),
        ("errors", seen.errors),
        ("cancelled", seen.cancelled),
        ("faults", seen.faults),
        ("rests", seen.rests),
        ("late steps", seen.late_steps),
        ("aborts", seen.aborts),
    ] {
        assert!(count > 20, "{what}: {count}");
    }
    assert!(
        seen.shrinks > 5 && seen.late_shutdowns > 1 && seen.repeats > 0,
        "{seen}"
    );
}
