//! What the tokens of a text are.

use super::Kind::{
    Comment, CommentClose, CommentOpen, Name, Number, Parameter, Question, QuotedName, RareBlank,
    Symbol, Text, Unclosed, Word,
};
use super::*;

const ANSI: Dialect = Dialect {
    backslash_escapes: true,
    ansi_quotes: true,
};
const NO_ESCAPES: Dialect = Dialect {
    backslash_escapes: false,
    ansi_quotes: false,
};

fn tokens(sql: &str, dialect: Dialect) -> Vec<(Kind, &str)> {
    let text = |token: Token<'_>| &sql[token.start..token.end()];
    Scanner::new(sql.as_bytes(), dialect)
        .map(|token| (token.kind, text(token)))
        .collect()
}

#[track_caller]
fn check(dialect: Dialect, sql: &str, expected: &[(Kind, &str)]) {
    assert_eq!(tokens(sql, dialect), expected, "{sql}");
}

#[test]
fn words_names_numbers_and_signs() {
    let check = |sql, expected: &[_]| check(Dialect::DEFAULT, sql, expected);
    check("", &[]);
    check(" \t\r\n", &[]);
    check(
        "SELECT a$1_\u{e9}",
        &[(Word, "SELECT"), (Word, "a$1_\u{e9}")],
    );
    check("1f 0xFF", &[(Number, "1f"), (Number, "0xFF")]);
    check("1.5", &[(Number, "1"), (Symbol(b'.'), "."), (Number, "5")]);
    check(
        "s . into",
        &[(Word, "s"), (Symbol(b'.'), "."), (Name, "into")],
    );
    check(
        "@set:=1",
        &[
            (Symbol(b'@'), "@"),
            (Name, "set"),
            (Symbol(b':'), ":"),
            (Symbol(b'='), "="),
            (Number, "1"),
        ],
    );
    check("a\x0bb", &[(Word, "a"), (RareBlank, "\x0b"), (Word, "b")]);
    check("\0", &[(Symbol(0), "\0")]);
}

#[test]
fn parameters() {
    let check = |sql, expected: &[_]| check(Dialect::DEFAULT, sql, expected);
    check(
        "?,:a_1B",
        &[
            (Question, "?"),
            (Symbol(b','), ","),
            (Parameter, ":a_1"),
            (Word, "B"),
        ],
    );
    check(":A", &[(Symbol(b':'), ":"), (Word, "A")]);
    check("'?' /*?*/", &[(Text, "'?'"), (Comment, "/*?*/")]);
}

#[test]
fn quotes() {
    for dialect in [Dialect::DEFAULT, ANSI, NO_ESCAPES] {
        let check = |sql, expected: &[_]| check(dialect, sql, expected);
        check("'it''s'x", &[(Text, "'it''s'"), (Word, "x")]);
        check("`a``\\`", &[(QuotedName, "`a``\\`")]);
        check("''", &[(Text, "''")]);
        check("'a", &[(Unclosed, "'a")]);
        check("'a''", &[(Unclosed, "'a''")]);
        check("`", &[(Unclosed, "`")]);
    }
    check(Dialect::DEFAULT, r#""a\"b""#, &[(Text, r#""a\"b""#)]);
    check(
        NO_ESCAPES,
        r#""a\"b""#,
        &[(Text, r#""a\""#), (Word, "b"), (Unclosed, r#"""#)],
    );
    check(ANSI, r#""a\"b"#, &[(QuotedName, r#""a\""#), (Word, "b")]);
    check(ANSI, r"'a\'b'", &[(Text, r"'a\'b'")]);
    check(NO_ESCAPES, r"'a\'b", &[(Text, r"'a\'"), (Word, "b")]);
    check(Dialect::DEFAULT, r"'a\", &[(Unclosed, r"'a\")]);
}

#[test]
fn comments() {
    let check = |sql, expected: &[_]| check(Dialect::DEFAULT, sql, expected);
    check("# x\na", &[(Comment, "# x\n"), (Word, "a")]);
    check("-- x\na", &[(Comment, "-- x\n"), (Word, "a")]);
    check("--", &[(Comment, "--")]);
    check("--\na", &[(Comment, "--\n"), (Word, "a")]);
    check("--\u{1}a", &[(Comment, "--\u{1}a")]);
    check(
        "5--1",
        &[
            (Number, "5"),
            (Symbol(b'-'), "-"),
            (Symbol(b'-'), "-"),
            (Number, "1"),
        ],
    );
    check("/* ' */a", &[(Comment, "/* ' */"), (Word, "a")]);
    check("/**/a", &[(Comment, "/**/"), (Word, "a")]);
    check("/*/a*/b", &[(Comment, "/*/a*/"), (Word, "b")]);
    check("/* a", &[(Comment, "/* a")]);
    check("*/", &[(Symbol(b'*'), "*"), (Symbol(b'/'), "/")]);
}

#[test]
fn comments_whose_content_the_server_reads() {
    let check = |sql, expected: &[_]| check(Dialect::DEFAULT, sql, expected);
    check(
        "/*!USE a*/",
        &[
            (CommentOpen, "/*!"),
            (Word, "USE"),
            (Word, "a"),
            (CommentClose, "*/"),
        ],
    );
    for open in ["/*!50000", "/*!080013", "/*M!100100", "/*M!", "/*+"] {
        let sql = format!("{open}USE*/");
        let expected = [(CommentOpen, open), (Word, "USE"), (CommentClose, "*/")];
        assert_eq!(tokens(&sql, Dialect::DEFAULT), expected, "{sql}");
    }
    check(
        "/*!1234*/",
        &[(CommentOpen, "/*!"), (Number, "1234"), (CommentClose, "*/")],
    );
    check("/*M a*/", &[(Comment, "/*M a*/")]);
    check(
        "/*! /* b */ '*/' /*! c */ */ d */",
        &[
            (CommentOpen, "/*!"),
            (Comment, "/* b */"),
            (Text, "'*/'"),
            (CommentOpen, "/*!"),
            (Word, "c"),
            (CommentClose, "*/"),
            (CommentClose, "*/"),
            (Word, "d"),
            (Symbol(b'*'), "*"),
            (Symbol(b'/'), "/"),
        ],
    );
}

fn parameters_of(sql: &str, dialect: Dialect) -> Vec<&str> {
    tokens(sql, dialect)
        .into_iter()
        .filter(|(kind, _)| matches!(kind, Question | Parameter))
        .map(|(_, text)| text)
        .collect()
}

#[test]
fn parameters_are_found_outside_of_texts_and_comments() {
    for (sql, expected) in [
        ("SELECT ?, ?+1", &["?", "?"][..]),
        ("SELECT '?', \"?\", `?`, ?", &["?"]),
        ("SELECT 'it''s ?', 'it\\'s ?', ?", &["?"]),
        ("SELECT ? -- not ?\n, ? # nor ?\n", &["?", "?"]),
        ("SELECT /* ? */ ?, 5--? ", &["?", "?"]),
        ("SELECT /*! ? */ /*M! ? */ /*M ? */ ?", &["?", "?", "?"]),
        ("SELECT :a, ':b', :a_1x", &[":a", ":a_1x"]),
        ("SELECT @a := 5, \u{e4}", &[]),
        ("SELECT 'no end ?", &[]),
        ("SELECT 'no end \\", &[]),
        ("SELECT /* no end ?", &[]),
        ("", &[]),
    ] {
        assert_eq!(parameters_of(sql, Dialect::DEFAULT), expected, "{sql}");
    }
    let sql = r"SELECT '\', ?, '";
    assert_eq!(parameters_of(sql, NO_ESCAPES), ["?"]);
    assert!(parameters_of(sql, Dialect::DEFAULT).is_empty());
}

#[test]
fn every_byte_but_blanks_is_in_one_token() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes = b" \n\x0b'\"`\\-#/*!M+?:a_Z09.@$;\xe9\0";
    for _ in 0..20_000 {
        let sql: Vec<u8> = (0..12)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes[(state % bytes.len() as u64) as usize]
            })
            .collect();
        for dialect in [Dialect::DEFAULT, ANSI, NO_ESCAPES] {
            let mut end = 0;
            for token in Scanner::new(&sql, dialect) {
                assert!(!token.bytes.is_empty());
                let blanks = &sql[end..token.start];
                assert!(blanks.iter().all(u8::is_ascii_whitespace), "{sql:?}");
                assert_eq!(token.bytes, &sql[token.start..token.end()]);
                end = token.end();
            }
            assert!(sql[end..].iter().all(u8::is_ascii_whitespace), "{sql:?}");
        }
    }
}
