//! The short ways to the traits of a statement give the traits that its tokens give.

mod random;

use std::env;

use self::random::{HEADS, PIECES, SUSPECTS};
use crate::statement::by_tokens::by_tokens;
use crate::statement::dice::Dice;
use crate::statement::neutral::{DIRTY, NEUTRAL};
use crate::statement::text::StatementTraits;

/// Compares them; returns whether the statement is neutral, and whether it may change the database.
fn compare(sql: &[u8]) -> (bool, bool) {
    let [watched, unwatched] = [true, false].map(|watched| {
        let traits = StatementTraits::of(sql, watched);
        let expected = by_tokens(sql, watched);
        assert_eq!(traits, expected, "{watched}: {}", sql.escape_ascii());
        traits
    });
    (watched.neutral, unwatched.may_change_database)
}

#[test]
fn statements_that_are_known() {
    for sql in DIRTY.iter().chain(NEUTRAL).chain(HEADS).chain(PIECES) {
        for before in ["", " ", "\n\t", "\x0c"] {
            for behind in [
                "",
                " ",
                ";",
                "; ",
                " ;\n",
                ";;",
                ";\x0c",
                " ; SELECT 1",
                " FOR UPDATE",
            ] {
                compare(format!("{before}{sql}{behind}").as_bytes());
            }
        }
        for head in HEADS {
            compare(format!("{head} {sql}").as_bytes());
        }
    }
}

/// Forty thousand statements, or as many as `POOL_FUZZ_INPUTS` says.
#[test]
fn statements_of_random_pieces() {
    let inputs = env::var("POOL_FUZZ_INPUTS");
    let inputs = inputs.map_or(40_000, |inputs| inputs.parse().expect("a number"));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut neutral, mut changing) = (0, 0);
    for number in 0..inputs {
        let sql = match number % 4 {
            0 => dice.pick(NEUTRAL).as_bytes().to_vec(),
            1 => dice.pick(DIRTY).as_bytes().to_vec(),
            _ => dice.statement(),
        };
        let sql = match number % 4 {
            3 => sql,
            _ => dice.damage(sql),
        };
        let (is_neutral, may_change) = compare(&sql);
        neutral += usize::from(is_neutral);
        changing += usize::from(may_change);
    }
    assert!(
        neutral * 10 > inputs && changing * 20 > inputs,
        "{neutral} and {changing}"
    );
}

#[test]
fn a_suspect_is_found_at_each_place_and_between_all_bytes() {
    for word in SUSPECTS
        .iter()
        .chain(&["USER", "EN", "DROPS", "CALLS", "PREPARED", "_USE"])
    {
        for place in 0..200 {
            for length in [0, 1, 7, 60] {
                let before = "x ".repeat(place).split_off(place);
                let sql = format!("SELECT{before} {word} {}", " y".repeat(length));
                compare(sql.as_bytes());
                compare(sql.replacen(' ', ":a", 1).as_bytes());
            }
        }
        for byte in 0..=u8::MAX {
            for (before, behind) in [(byte, b' '), (b' ', byte), (byte, byte)] {
                for quote in ["", "'", "`", "/*", ":", ":b", "@", "1"] {
                    let sql = [
                        b"SELECT ",
                        quote.as_bytes(),
                        &[before],
                        word.as_bytes(),
                        &[behind],
                    ];
                    compare(&sql.concat());
                }
            }
        }
    }
}

#[test]
fn a_sign_at_each_place_of_a_plain_statement() {
    let is_sign = |byte: &u8| !byte.is_ascii_alphanumeric() || b"aEMxZ07".contains(byte);
    for sql in NEUTRAL {
        for at in 0..=sql.len() {
            for byte in (0..=0x81).filter(is_sign) {
                let (before, behind) = sql.as_bytes().split_at(at);
                compare(&[before, &[byte], behind].concat());
            }
        }
    }
}

#[test]
fn reading_allocates_nothing() {
    for sql in DIRTY.iter().chain(NEUTRAL) {
        for watched in [true, false] {
            let read = || {
                StatementTraits::of(sql.as_bytes(), watched);
            };
            assert_eq!(allocation_counter::measure(read).count_total, 0, "{sql}");
        }
    }
}

#[test]
fn long_statements() {
    for longest in [16 * 1024, 64 * 1024] {
        for length in [longest - 1, longest, longest + 1] {
            for (head, end) in [
                ("SELECT '", "'"),
                ("SELECT '", "';"),
                ("CALL '", "'"),
                ("SELECT '", "', END"),
            ] {
                let text = "x".repeat(length - head.len() - end.len());
                compare(format!("{head}{text}{end}").as_bytes());
                let text = "a use ".repeat(length / 6);
                compare(
                    format!("{head}{}{end}", &text[..length - head.len() - end.len()]).as_bytes(),
                );
            }
        }
    }
}
