//! The short ways to the traits of a statement give the traits that its tokens give.

use std::env;

use super::database::may_change_by_tokens;
use super::neutral::{DIRTY, FUNCTIONS, NEUTRAL, REFUSED, RESERVED, is_neutral};
use super::opening::Opening;
use super::text::StatementTraits;

/// The traits as the tokens tell them.
fn by_tokens(sql: &[u8], watched: bool) -> StatementTraits {
    let opening = Opening::of(sql);
    let begins_transaction = opening.begins_transaction();
    let ends_transaction = opening.ends_transaction();
    let neutral = watched && (ends_transaction || begins_transaction || is_neutral(sql));
    StatementTraits {
        neutral,
        is_commit: opening.is_commit(),
        begins_transaction,
        ends_transaction,
        may_commit: opening.may_commit(),
        may_change_database: !neutral && may_change_by_tokens(sql),
    }
}

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

/// What the database is changed with.
const SUSPECTS: &[&str] = &["USE", "END", "DROP", "CALL", "PREPARE", "EXECUTE"];

/// How a statement begins.
const HEADS: &[&str] = &[
    "SELECT",
    "select ",
    " SELECT ",
    "UPDATE t SET a =",
    "DELETE FROM t WHERE",
    "INSERT INTO t ",
    "INSERT ",
    "REPLACE ",
    "INSERT IGNORE ",
    "INSERT INTO `t`.",
    "insert into t(a) VALUES ",
    "REPLACE t (",
    "COMMIT",
    "BEGIN",
    "ROLLBACK",
    "START TRANSACTION",
    "XA COMMIT",
    "WITH",
    "SHOW",
    "DO",
    "CALL",
    "SET",
    "",
    "(SELECT",
    "/*!SELECT",
    "-- x\nSELECT",
    "SELECTED",
    "SELECT_",
    "SELECT1",
    "INSERT$",
    "DELETE\u{e9}",
    "\x0bSELECT",
];

/// What a statement can have in it, beside the words.
const PIECES: &[&str] = &[
    "a",
    "t.a",
    "u . b",
    "*",
    ",",
    "(",
    ")",
    "=",
    "<>",
    ">=",
    "!=",
    "+",
    "-",
    "--",
    "/",
    "%",
    "&",
    "?",
    ".",
    "1",
    "1.5",
    "0xFF",
    "5e3END",
    "2use",
    "1into",
    "a1",
    "end2",
    "x1use",
    "_a",
    "in_use",
    "'text'",
    "'it''s'",
    "'use it'",
    "'into'",
    "'a;b'",
    "';'",
    "'a\\'",
    "'\u{fc}'",
    "''",
    "'",
    "\"name\"",
    "\"into\"",
    "\"a;b\"",
    "\"\"",
    "\"",
    "`name`",
    "`lock`",
    "`a``b`",
    "`drop`",
    "``",
    "`",
    "_utf8'x'",
    "_x 'x'",
    "x'FF'",
    ":a",
    ":name",
    ":use",
    ":aUSE",
    ":a1END",
    ":Name",
    ":a_x 'x'",
    ":=",
    ":",
    "::",
    ": a",
    ";",
    "; ",
    ";\n",
    ";;",
    "@a",
    "@@a",
    "a$b",
    "$",
    "$use",
    "use$",
    "\\",
    "#",
    "# x\n",
    "-- x\n",
    "/*",
    "*/",
    "/* use */",
    "/*!50000",
    "/*!",
    "/*M!",
    "/*+",
    "{",
    "}",
    "[",
    "^",
    "|",
    "~",
    "\0",
    "\x0b",
    "\x0c",
    "\t",
    "\r\n",
    "\u{a0}",
    "\u{e9}",
    "\x7f",
    "AS",
    "FROM t",
    "WHERE a",
    "VALUES (1)",
    "INTO t",
    "f(",
    "f (",
    "abs(",
    "abs (",
    "t.abs(",
    "t. abs(",
    "`abs`(",
    "'x'(",
    "1(",
    ":a(",
    "COUNT(*)",
    "IN (1, 2)",
    "SELECT (",
    "CASE WHEN a THEN 1 END",
];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.roll(list.len())]
    }

    fn word(&mut self) -> String {
        let list = [FUNCTIONS, RESERVED, REFUSED, SUSPECTS][self.roll(4)];
        let word = self.pick(list);
        match self.roll(3) {
            0 => word.to_lowercase(),
            _ => word.to_owned(),
        }
    }

    /// Something that is plain almost everywhere.
    fn plain(&mut self) -> String {
        match self.roll(8) {
            0 => format!("{}(a)", self.pick(FUNCTIONS)),
            1 => format!("{} (", self.pick(RESERVED)),
            2 => self.pick(RESERVED).to_lowercase(),
            // The windows begin elsewhere then.
            3 => "a ".repeat(self.roll(40)),
            4 => format!("'{}'", "x".repeat(self.roll(80))),
            5 => "b".repeat(self.roll(70)),
            _ => self
                .pick(&[
                    "a", "`b`", "c.d", ",", "=", "1", "?", ":e", "'f'", "(g)", "-h",
                ])
                .to_owned(),
        }
    }

    fn statement(&mut self) -> Vec<u8> {
        let mut sql = self.pick(HEADS).to_owned();
        // Few of the statements with many different pieces are plain.
        let rare = self.roll(4);
        for _ in 0..self.roll(12) {
            sql.push_str(self.pick(&["", " ", " ", "  ", "\n"]));
            match self.roll(8) < rare {
                true if self.roll(3) == 0 => sql.push_str(&self.word()),
                true => sql.push_str(self.pick(PIECES)),
                false => sql.push_str(&self.plain()),
            }
        }
        sql.push_str(self.pick(&["", "", "", " ", ";", " ;\n", "\n", "\x0c"]));
        sql.into_bytes()
    }

    /// The statement with up to three bytes more, fewer or changed.
    fn damage(&mut self, mut sql: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.roll(4) {
            let at = self.roll(sql.len() + 1);
            let byte = match self.roll(3) {
                0 => self.roll(256) as u8,
                _ => b"'\"`\\?#-/*!@:%;=[(). \n_$A0z"[self.roll(25)],
            };
            match self.roll(3) {
                0 => sql.insert(at, byte),
                1 if at < sql.len() => sql[at] = byte,
                _ if at < sql.len() => drop(sql.remove(at)),
                _ => {}
            }
        }
        sql
    }
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
fn each_byte_at_each_place_of_a_plain_statement() {
    for sql in NEUTRAL {
        for at in 0..=sql.len() {
            for byte in 0..=u8::MAX {
                let (before, behind) = sql.as_bytes().split_at(at);
                compare(&[before, &[byte], behind].concat());
                compare(&[before, &[byte], behind.get(1..).unwrap_or_default()].concat());
            }
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
