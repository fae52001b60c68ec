//! Random statements: what their tokens are, and that every byte is in one.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::neutral::is_neutral;
use super::scanner::{Dialect, Kind, Scanner};
use super::text::StatementTraits;

/// The same input in every run. `PROPTEST_CASES` asks for more of it.
fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(10),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn dialect() -> impl Strategy<Value = Dialect> {
    any::<(bool, bool)>().prop_map(|(backslash_escapes, ansi_quotes)| Dialect {
        backslash_escapes,
        ansi_quotes,
    })
}

/// A piece of a statement whose meaning does not depend on what stands beside it.
#[derive(Clone, Debug)]
enum Piece {
    /// A `?` that the server counts.
    Question,
    /// A `:name`, which is ours.
    Named,
    /// What hides the `?` and the `:name` in it.
    Quoted(char, String),
    /// A comment with a `?` in it: its beginning, its content, its end.
    Comment(&'static str, String, &'static str),
    /// What the server reads, with a `?` in it that counts.
    Executed(&'static str),
    Plain(&'static str),
}

fn piece() -> impl Strategy<Value = Piece> {
    let content = "[a-z?: '\"`\\\\#*/!-]{0,8}";
    prop_oneof![
        Just(Piece::Question),
        Just(Piece::Named),
        (prop_oneof![Just('\''), Just('"'), Just('`')], content)
            .prop_map(|(q, t)| Piece::Quoted(q, t)),
        (
            prop_oneof![Just(("/* ", " */")), Just(("-- ", "\n")), Just(("#", "\n"))],
            "[a-z?: '\"`\\\\]{0,8}",
        )
            .prop_map(|((begin, end), text)| Piece::Comment(begin, text, end)),
        prop_oneof![
            Just("/*!"),
            Just("/*!50000 "),
            Just("/*M!100100 "),
            Just("/*+ ")
        ]
        .prop_map(Piece::Executed),
        prop_oneof![
            Just("SELECT"),
            Just("a"),
            Just(","),
            Just("("),
            Just(")"),
            Just("1.5"),
            Just("@a"),
            Just(":="),
            Just("--1"),
            Just("*"),
            Just("a.b"),
            Just("x'00'"),
            Just(";"),
        ]
        .prop_map(Piece::Plain),
    ]
}

impl Piece {
    fn write(&self, dialect: Dialect, sql: &mut String) {
        match self {
            Self::Question => sql.push('?'),
            Self::Named => sql.push_str(":name"),
            Self::Quoted(quote, text) => {
                let is_name = *quote == '`' || (*quote == '"' && dialect.ansi_quotes);
                let doubled = format!("{quote}{quote}");
                let mut text = text.replace(*quote, &doubled);
                if dialect.backslash_escapes && !is_name {
                    text = text.replace('\\', "\\\\");
                }
                sql.extend([*quote, ' ']);
                sql.push_str(&text);
                sql.extend([' ', *quote]);
            }
            Self::Comment(begin, text, end) => {
                sql.push_str(begin);
                sql.push_str(text);
                sql.push_str(end);
            }
            Self::Executed(begin) => {
                sql.push_str(begin);
                sql.push_str("? */");
            }
            Self::Plain(text) => sql.push_str(text),
        }
        sql.push(' ');
    }

    /// How many `?`, and how many `:name`, the server would see.
    fn parameters(&self) -> (usize, usize) {
        match self {
            Self::Question | Self::Executed(_) => (1, 0),
            Self::Named => (0, 1),
            _ => (0, 0),
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn parameters_are_counted_outside_texts_and_comments(
        dialect in dialect(),
        pieces in proptest::collection::vec(piece(), 0..12),
    ) {
        let mut sql = String::new();
        let mut expected = (0, 0);
        for piece in &pieces {
            piece.write(dialect, &mut sql);
            let (questions, names) = piece.parameters();
            expected = (expected.0 + questions, expected.1 + names);
        }
        let count = |kind| Scanner::new(sql.as_bytes(), dialect).filter(|token| token.kind == kind).count();
        prop_assert_eq!((count(Kind::Question), count(Kind::Parameter)), expected, "{}", sql);
        prop_assert_eq!(count(Kind::Unclosed), 0, "{}", sql);
    }

    #[test]
    fn every_byte_is_in_one_token_or_is_a_blank(
        dialect in dialect(),
        sql in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            "[a-z?:'\"`\\\\#*/!@. \n-]{0,60}".prop_map(String::into_bytes),
        ],
    ) {
        let mut end = 0;
        for token in Scanner::new(&sql, dialect) {
            prop_assert!(token.start >= end && !token.bytes.is_empty());
            prop_assert!(sql[end..token.start].iter().all(u8::is_ascii_whitespace));
            prop_assert_eq!(&sql[token.start..token.end()], token.bytes);
            end = token.end();
        }
        prop_assert!(sql[end..].iter().all(u8::is_ascii_whitespace));
    }

    #[test]
    fn what_is_plain_has_no_variable_no_comment_and_no_backslash(
        sql in "(SELECT|INSERT INTO t VALUES|UPDATE t SET a =|DELETE FROM t WHERE|SET|CALL) ?[a-zA-Z0-9_(),.=?'\"`@:*/!#; -]{0,30}",
    ) {
        let traits = StatementTraits::of(sql.as_bytes(), true);
        prop_assert_eq!(traits.neutral, is_neutral(sql.as_bytes()), "{}", sql);
        if traits.neutral {
            let seen: Vec<_> = Scanner::new(sql.as_bytes(), Dialect::DEFAULT).collect();
            for token in &seen {
                let is_refused = matches!(
                    token.kind,
                    Kind::Comment | Kind::CommentOpen | Kind::CommentClose | Kind::Unclosed | Kind::Symbol(b'@' | b'\\')
                );
                prop_assert!(!is_refused, "{:?} in {}", token, sql);
            }
            // Every dialect reads the same.
            prop_assert!(!traits.may_change_database, "{}", sql);
            // What is added in front or behind changes nothing, unless it is a second statement.
            let padded = format!("  {sql}\n");
            prop_assert!(is_neutral(padded.as_bytes()), "{}", sql);
            let second = format!("{}; SET @a = 1", sql.trim_end().trim_end_matches(';'));
            prop_assert!(!is_neutral(second.as_bytes()), "{}", second);
        }
    }
}
