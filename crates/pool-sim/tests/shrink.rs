//! A script that fails is made shorter, and still fails in the same way.

use pool_sim::{Op, Outcome, Script, Settings, Verb, generate, run, shrink, shrink_under};

fn has(script: &Script, verb: Verb) -> bool {
    script.ops.iter().any(|op| op.verb == verb)
}

/// A law about what happens in the run. The pool breaks no promise, so this stands for one.
fn somebody_is_served_and_somebody_gives_up(script: &Script) -> Option<String> {
    let seen = run(script).ok()?;
    let is_seen = seen.served > 1 && seen.cancelled > 0 && seen.faults > 0;
    is_seen.then(|| format!("I99: {} served, {} gave up", seen.served, seen.cancelled))
}

#[test]
fn a_shortened_script_fails_under_the_same_law_and_every_operation_is_needed() {
    let law = somebody_is_served_and_somebody_gives_up;
    let failing = (0..200)
        .map(generate)
        .filter(|script| law(script).is_some());
    for script in failing.take(8) {
        let short = shrink_under(&script, law);
        assert!(law(&short).is_some(), "it does not fail:\n{short}");
        assert!(short.ops.len() < script.ops.len(), "{script}\n{short}");
        for left_out in 0..short.ops.len() {
            let mut shorter = short.clone();
            shorter.ops.remove(left_out);
            assert_eq!(law(&shorter), None, "{left_out} is of no use:\n{short}");
        }
        assert_eq!(shrink_under(&short, law), short);
        let again: Script = short.to_string().parse().expect("its own text");
        assert_eq!(law(&again), law(&short), "it can be kept:\n{short}");
    }
}

#[test]
fn what_a_law_does_not_look_at_is_gone() {
    let law = |script: &Script| {
        let discard = script.ops.iter().position(|op| op.verb == Verb::Discard)?;
        let is_acquired = script.ops[..discard]
            .iter()
            .any(|op| op.verb == Verb::Acquire);
        let fails = script.connect.contains(&Outcome::Err) && script.settings.maxsize == 5;
        (is_acquired && fails).then(|| "discarded".to_owned())
    };
    let script = (0..5_000)
        .map(generate)
        .find(|script| law(script).is_some());
    let script = script.expect("a seed of this kind");
    let connects = script.connect.iter();
    let succeed = connects.take_while(|outcome| **outcome != Outcome::Err);
    let mut connect = vec![Outcome::Ok; succeed.count()];
    connect.push(Outcome::Err);
    let op = |verb| Op { verb, number: 0 };
    let expected = Script {
        settings: Settings {
            maxsize: 5,
            ..Settings::default()
        },
        connect,
        ops: vec![op(Verb::Acquire), op(Verb::Discard)],
        ..Script::default()
    };
    assert_eq!(shrink_under(&script, law), expected);
}

#[test]
fn a_shortened_script_breaks_the_same_promise() {
    // Without its clear, the script breaks another promise.
    let law = |script: &Script| match (has(script, Verb::Clear), has(script, Verb::Fill)) {
        (true, _) => Some(format!("I3: {} operations", script.ops.len())),
        (false, true) => Some(format!("I6: {} operations", script.ops.len())),
        _ => None,
    };
    let both = |script: &Script| has(script, Verb::Clear) && has(script, Verb::Fill);
    for script in (0..200).map(generate).filter(both).take(8) {
        let short = shrink_under(&script, law);
        let verbs: Vec<Verb> = short.ops.iter().map(|op| op.verb).collect();
        assert_eq!(verbs, [Verb::Clear]);
    }
}

#[test]
fn a_script_that_does_not_fail_stays_as_it_is() {
    let script = generate(1);
    assert_eq!(shrink(&script), script);
}
