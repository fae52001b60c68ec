//! Random statements, of the pieces that the readers tell apart.

use crate::statement::dice::Dice;
use crate::statement::neutral::{FUNCTIONS, REFUSED, RESERVED};

/// What the database is changed with.
pub(super) const SUSPECTS: &[&str] = &["USE", "END", "DROP", "CALL", "PREPARE", "EXECUTE"];

/// How a statement begins.
pub(super) const HEADS: &[&str] = &[
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
pub(super) const PIECES: &[&str] = &[
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

impl Dice {
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

    pub(super) fn statement(&mut self) -> Vec<u8> {
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
    pub(super) fn damage(&mut self, mut sql: Vec<u8>) -> Vec<u8> {
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
