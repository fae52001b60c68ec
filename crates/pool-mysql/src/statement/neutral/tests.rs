//! What is plain, and that nothing else is.

use super::dirty::DIRTY;
use super::reads_as_plain;
use super::tokens::Tokens;
use super::words::{
    FUNCTIONS, REFUSED, RESERVED, is_function, is_refused, may_be_refused, takes_brackets,
};
use crate::statement::dice::Dice;
use crate::statement::opening::Verb;
use crate::statement::scanner::Dialect;

/// Whether the statement is neutral; every dialect must give the same answer.
fn is_neutral(sql: &[u8]) -> bool {
    let is_neutral = super::is_neutral(sql);
    for (backslash_escapes, ansi_quotes) in [(true, true), (false, false), (false, true)] {
        let dialect = Dialect {
            backslash_escapes,
            ansi_quotes,
        };
        if sql.len() <= super::LONGEST {
            let other = reads_as_plain(Tokens::of(sql, dialect)).is_some();
            assert_eq!(other, is_neutral, "{dialect:?} {sql:?}");
        }
    }
    is_neutral
}

pub(crate) const NEUTRAL: &[&str] = &[
    "SELECT 1",
    "select 1;",
    "  SELECT\t1\r\n ; \n",
    "SELECT * FROM users WHERE id = 5",
    "SELECT `u`.`id`, u.name FROM `shop`.`users` AS u WHERE u.name LIKE 'O''Brien%' LIMIT 10 OFFSET 20",
    "SELECT \"id\" FROM \"users\"",
    "SELECT 'M\u{fc}ller', '\u{1f600}'",
    "SELECT COUNT(*), MAX(a), CONCAT(a, ':', b) FROM t GROUP BY c HAVING COUNT(*) > 5 ORDER BY 1 DESC",
    "SELECT a FROM t WHERE b IN (1, 2, 3) AND (c OR NOT (d)) AND EXISTS (SELECT 1 FROM u WHERE u.a=t.a)",
    "SELECT t.a FROM t LEFT JOIN u USING (id) INNER JOIN v ON (v.id = u.id)",
    "SELECT CASE WHEN (a > 1) THEN (2) ELSE (3) END FROM t",
    "SELECT CAST(a AS DECIMAL(10,2)), a+b-c*d/e%f, -1, 1.5e-3, 0xFF, x'FF' FROM t",
    "SELECT DATE_ADD(NOW(), INTERVAL 1 DAY), DATE '2020-01-01'",
    "SELECT 1 UNION ALL SELECT 2 UNION (SELECT 3)",
    "SELECT lock_id, used, into_it FROM get_lock",
    "SELECT DISTINCT(a) FROM t",
    "SELECT ?, a FROM t WHERE b = ? AND c = :name",
    "SELECT MATCH (a) FROM t",
    "INSERT INTO t VALUES (1, 'two', NULL, DEFAULT)",
    "INSERT INTO t(a,b) VALUES (?, ?), (?, ?)",
    "INSERT IGNORE INTO `a`.`t` (`a`) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)",
    "INSERT t SET a = 1",
    "INSERT INTO t (a) SELECT b FROM u",
    "REPLACE INTO t (a) VALUES (UPPER('x'))",
    "REPLACE LOW_PRIORITY t VALUES (1)",
    "UPDATE t SET a = a + 1, b = REPLACE(b, 'x', 'y') WHERE id = 1",
    "UPDATE t, u SET t.a = u.a WHERE t.id = u.id",
    "DELETE FROM t WHERE id IN (SELECT id FROM u)",
    "DELETE t FROM t JOIN u ON t.id = u.id",
];

#[test]
fn plain_statements_are_neutral() {
    for sql in NEUTRAL {
        assert!(is_neutral(sql.as_bytes()), "{sql}");
    }
}

#[test]
fn nothing_that_may_touch_the_session_is_neutral() {
    assert!(DIRTY.len() >= 150, "{}", DIRTY.len());
    for sql in DIRTY {
        assert!(!is_neutral(sql.as_bytes()), "{sql:?}");
    }
    // Bytes that are no text.
    for sql in [
        &b"SELECT \xbf\x27, GET_LOCK(0x61, 1), \x27"[..],
        b"SELECT '\x81\x5c', GET_LOCK(', 1) -- '",
        b"SELECT \xff",
        b"\xef\xbb\xbfSELECT 1",
    ] {
        assert!(!is_neutral(sql), "{sql:?}");
    }
}

#[test]
fn a_long_text_is_not_looked_at() {
    let text = |length: usize| format!("SELECT '{}'", "x".repeat(length - 9));
    assert!(is_neutral(text(super::LONGEST).as_bytes()));
    assert!(!is_neutral(text(super::LONGEST + 1).as_bytes()));
}

#[test]
fn the_lists_are_in_order_and_no_function_is_refused_for_its_name() {
    for list in [REFUSED, RESERVED, FUNCTIONS] {
        assert!(list.is_sorted());
        assert!(list.windows(2).all(|pair| pair[0] != pair[1]));
    }
    for name in FUNCTIONS {
        assert!(
            !REFUSED.contains(name) && !RESERVED.contains(name),
            "{name}"
        );
        assert!(is_neutral(format!("SELECT {name}(a)").as_bytes()), "{name}");
        assert!(
            !is_neutral(format!("SELECT {name} (a)").as_bytes()),
            "{name}"
        );
        assert!(
            !is_neutral(format!("SELECT x.{name}(a)").as_bytes()),
            "{name}"
        );
    }
    for name in REFUSED {
        for sql in [
            format!("SELECT a {name} b"),
            format!("SELECT `{name}`"),
            format!("UPDATE t SET a = x.{}", name.to_lowercase()),
        ] {
            assert!(!is_neutral(sql.as_bytes()), "{sql}");
        }
    }
}

#[test]
fn the_short_way_knows_the_plain_statements() {
    for sql in NEUTRAL {
        let verb = Verb::of(sql.as_bytes());
        assert_ne!(verb, Verb::Other, "{sql}");
        let expected = (!sql.contains("''")).then_some(true);
        assert_eq!(super::is_plain(sql.as_bytes(), verb), expected, "{sql}");
    }
    for sql in [
        "SELECT GET_LOCK('a', 1)",
        "SELECT test.abs(1)",
        "SELECT @a := 1",
        "SELECT * FROM t FOR UPDATE",
        "INSERT INTO `lock` VALUES (1)",
        "SELECT 1 -- x",
    ] {
        let verb = Verb::of(sql.as_bytes());
        assert_eq!(super::is_plain(sql.as_bytes(), verb), Some(false), "{sql}");
    }
}

/// The lookup finds exactly the words of its list, in capital and in small letters.
#[test]
fn a_word_is_found_in_the_lists_that_have_it() {
    let lists = [REFUSED, RESERVED, FUNCTIONS];
    let finds: [fn(&[u8]) -> bool; 3] = [is_refused, takes_brackets, is_function];
    let agree = |word: &[u8]| {
        for (list, finds) in lists.iter().zip(finds) {
            let is_in_list = list
                .iter()
                .any(|known| known.as_bytes().eq_ignore_ascii_case(word));
            assert_eq!(finds(word), is_in_list, "{}", word.escape_ascii());
        }
        assert!(may_be_refused(word) || !is_refused(word));
    };
    agree(b"");
    for word in lists.concat() {
        agree(word.as_bytes());
        agree(word.to_lowercase().as_bytes());
        agree(format!("{word}_").as_bytes());
        for at in 0..word.len() {
            agree(&word.as_bytes()[at..]);
            agree(&word.as_bytes()[..at]);
            for byte in 0..=u8::MAX {
                let mut other = word.as_bytes().to_vec();
                other[at] = byte;
                agree(&other);
            }
        }
    }
}

/// The same statement to the server, in other letters and behind other statements.
fn disguised(sql: &str, dice: &mut Dice) -> String {
    let mut text = String::new();
    for letter in sql.chars() {
        match letter {
            ' ' => {
                text.push_str(dice.pick(&[" ", "\n", "\t ", "\r\n", "/**/ ", " -- x\n", " #\n"]))
            }
            letter if dice.roll(2) == 0 => text.extend(letter.to_uppercase()),
            letter => text.extend(letter.to_lowercase()),
        }
    }
    match dice.roll(6) {
        0 => format!("{}; {text}", dice.pick(NEUTRAL)),
        1 => format!("{text}; {}", dice.pick(NEUTRAL)),
        2 => format!("/*!{text}*/"),
        3 => format!("{} /*!{text}*/", dice.pick(NEUTRAL)),
        4 => format!(" {text} "),
        _ => text,
    }
}

#[test]
fn no_disguise_makes_a_dirty_statement_neutral() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    // A fragment such as `S` is not dirty by itself, only no statement that is known.
    let real = DIRTY.iter().filter(|sql| sql.len() > 7 && sql.is_ascii());
    for sql in real {
        for _ in 0..200 {
            let text = disguised(sql, &mut dice);
            assert!(!is_neutral(text.as_bytes()), "{text:?}");
        }
    }
}

#[test]
fn no_plain_statement_stays_neutral_with_a_call_or_a_variable_in_it() {
    let mut dice = Dice(7);
    let intruders = [
        "@a",
        "@@sql_mode",
        "f()",
        "get_lock('a',1)",
        "x.abs(1)",
        "abs (1)",
        "`abs`(1)",
        ";",
        "\\",
        "\0",
        "/*",
        "--",
        "#",
        "INTO",
        "FOR UPDATE",
        "s.nextval",
        "{",
        "$",
        ":=",
        "\u{a0}",
        "|",
    ];
    for sql in NEUTRAL {
        // Outside of literals and quoted names, in the middle or at the end.
        if sql.contains(['\'', '"', '`', ';']) {
            continue;
        }
        for _ in 0..200 {
            let words: Vec<&str> = sql.split(' ').collect();
            let at = 1 + dice.roll(words.len());
            let (before, after) = words.split_at(at);
            let intruder = dice.pick(&intruders);
            if intruder == ";" && after.is_empty() {
                continue;
            }
            let text = format!("{} {intruder} {}", before.join(" "), after.join(" "));
            // The table of an INSERT is no call.
            let is_table = sql.starts_with("INSERT") || sql.starts_with("REPLACE");
            if is_table && at < 4 {
                continue;
            }
            assert!(!is_neutral(text.as_bytes()), "{text:?}");
        }
    }
}

#[test]
fn whatever_bytes_come_what_is_neutral_has_no_sign_of_a_variable_a_comment_or_a_second_statement() {
    let mut dice = Dice(99);
    let pieces = [
        "SELECT ",
        "INSERT INTO t ",
        "(",
        ")",
        ",",
        "'",
        "''",
        "\"",
        "`",
        "a",
        "abs",
        "f",
        "1",
        ".",
        " ",
        "\n",
        "\\",
        "@",
        ";",
        "-",
        "/",
        "*",
        "#",
        "\u{e9}",
        "\0",
        " INTO ",
        ":",
        "=",
        "?",
        "$",
        "!",
    ];
    let mut accepted = 0;
    for _ in 0..200_000 {
        let mut text = String::from("SELECT ");
        for _ in 0..dice.roll(10) {
            text.push_str(dice.pick(&pieces));
        }
        if !is_neutral(text.as_bytes()) {
            continue;
        }
        accepted += 1;
        let bare = without_quoted(&text);
        assert!(!text.contains(['\\', '\0']), "{text:?}");
        for sign in ["@", "#", "--", "/*", "*/", "$", ":=", "\u{e9}", " INTO "] {
            assert!(!bare.contains(sign), "{text:?}");
        }
        assert!(
            !bare.trim_end().trim_end_matches(';').contains(';'),
            "{text:?}"
        );
        assert!(!bare.contains("f("), "{text:?}");
    }
    assert!(accepted > 1000, "only {accepted} were neutral");
}

/// The text without what stands in quotes, read in the simplest way: there is no backslash in it.
fn without_quoted(text: &str) -> String {
    let mut open = None;
    text.chars()
        .filter(|&letter| match open {
            Some(quote) if letter == quote => {
                open = None;
                true
            }
            Some(_) => false,
            None => {
                open = Some(letter).filter(|letter| matches!(letter, '\'' | '"' | '`'));
                true
            }
        })
        .collect()
}
