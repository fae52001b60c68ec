//! The `?` of a statement, as this crate counts them and as the server does.

use futures_lite::future::block_on;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Params, Value};
use pool_mysql::{Connection, Error};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::runner;
use crate::server::{Server, test};

/// A text in quotes, closed as both modes of the server read it.
fn quoted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("?"),
        Just("a"),
        Just(" "),
        Just("''"),
        Just("\"\""),
        Just("/*"),
        Just("*/"),
        Just("-- "),
        Just("#"),
        Just("\\\\"),
        Just("\\\\?"),
        Just("\n"),
        Just("ü"),
        Just("`"),
    ];
    (prop_oneof![Just('\''), Just('"')], vec(piece, 0..6)).prop_map(|(quote, pieces)| {
        let other = if quote == '\'' { "\"\"" } else { "''" };
        let inside: String = pieces.concat().replace(other, "?");
        format!("{quote}{inside}{quote}")
    })
}

/// An expression that the server can prepare.
fn expression() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("?".to_owned()),
        3 => quoted(),
        1 => "[a-z? '\"#-]{0,6}".prop_map(|name| format!("1 AS `a{name}z`")),
        1 => prop_oneof![
            Just("1--1"), Just("1 - -?"), Just("/*!50000 ? */"), Just("/*M!100100 ? + */ 1"), Just("(?)"), Just("1.5e3"), Just("@a"),
            Just("CONCAT(?, '?')"), Just("(SELECT ? /* ? */)"), Just("x'3F'"), Just("/*! 1 + /* ? */ ? */"),
        ].prop_map(str::to_owned),
    ]
}

/// What stands between two words.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(" ".to_owned()),
        1 => "[a-z?'\"` \\\\]{0,5}".prop_map(|text| format!("/* {text} */")),
        1 => "[a-z?'\"` \\\\]{0,5}".prop_map(|text| format!("-- {text}\n")),
        1 => "[a-z?'\"`*/ \\\\]{0,5}".prop_map(|text| format!("#{text}\n")),
        1 => prop_oneof![Just("\t"), Just("\n"), Just("/**/"), Just("--\n"), Just("--\t?\n"), Just("/*/ ? */")]
            .prop_map(str::to_owned),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    let items = vec((expression(), blank()), 1..7);
    (blank(), items, blank()).prop_map(|(before, items, end)| {
        let items: Vec<String> = items
            .into_iter()
            .map(|(expression, blank)| format!("{blank} {expression}{blank}"))
            .collect();
        format!("{before}SELECT{}{end}", items.join(","))
    })
}

/// How many parameters `mogrify` misses, or `None` if it takes as many as it is given.
fn counted(conn: &mut Connection, sql: &str, given: usize) -> Option<usize> {
    let values = Params::Positional(vec![Value::from(1); given]);
    match conn.cursor().mogrify(sql, values) {
        Ok(_) => None,
        Err(Error::ParameterCount { expected, .. }) => Some(expected),
        Err(other) => panic!("{other}: {sql}"),
    }
}

#[test]
fn a_statement_has_the_parameters_that_the_server_counts() {
    test(|| async {
        let server = Server::start();
        for mode in ["", "NO_BACKSLASH_ESCAPES"] {
            let mut conn = server.connect().await;
            conn.query_drop(format!("SET sql_mode = '{mode}'"))
                .await
                .expect("a known mode");
            let mut refused = 0;
            let mut runner = runner(300);
            let cases = runner.config().cases;
            let conn = std::cell::RefCell::new((&mut conn, &mut refused));
            let result = runner.run(&statement(), |sql| {
                let (conn, refused) = &mut *conn.borrow_mut();
                match block_on(conn.prep(sql.as_str())) {
                    Ok(statement) => {
                        let expected = usize::from(statement.num_params());
                        drop(statement);
                        // No value at all would mean that the text is sent as it is.
                        prop_assert_eq!(
                            counted(conn, &sql, expected + 1),
                            Some(expected),
                            "{}",
                            sql
                        );
                        prop_assert_eq!(counted(conn, &sql, expected), None, "{}", sql);
                    }
                    Err(error) => {
                        **refused += 1;
                        prop_assert!(**refused < 30, "{}: {}", error, sql);
                    }
                }
                Ok(())
            });
            if let Err(failure) = result {
                panic!("{mode}: {failure}");
            }
            assert!(
                refused * 10 <= cases.max(30),
                "{refused} of {cases} statements were refused"
            );
        }
    });
}
