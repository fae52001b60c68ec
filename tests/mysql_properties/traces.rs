//! Under `ResetPolicy::IfDirty`, what one user does leaves no trace for the next, whether it was reset or not.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_lite::future::block_on;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, ResetPolicy};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::runner;
use crate::server::{Server, one, test};

/// What a session has beside its variables, and its variables; nothing that changes by itself.
async fn session(conn: &mut Connection) -> BTreeMap<String, String> {
    let variables = "SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE FROM information_schema.SESSION_VARIABLES \
         WHERE VARIABLE_NAME NOT IN ('TIMESTAMP', 'PSEUDO_THREAD_ID', 'RAND_SEED1', 'RAND_SEED2', 'LAST_GTID', \
         'ERROR_COUNT', 'WARNING_COUNT')";
    let known = "SELECT CONCAT_WS('|', @a IS NULL, @@in_transaction, DATABASE(), LAST_INSERT_ID(), \
         IS_USED_LOCK('a') IS NULL, IS_USED_LOCK('b') IS NULL)";
    let known: Option<String> = conn.query_first(known).await.expect("it answers");
    let mut session: BTreeMap<String, String> = conn
        .query::<(String, String), _>(variables)
        .await
        .expect("it answers")
        .into_iter()
        .collect();
    session.insert("known".into(), known.expect("one row"));
    // Locked tables, temporary tables of these names, a prepared statement, an open handler, a sequence that was used.
    for sql in [
        "SELECT a FROM untouched LIMIT 0",
        "SELECT id, a FROM t LIMIT 0",
        "EXECUTE s",
        "HANDLER t READ FIRST LIMIT 0",
        "SELECT LASTVAL(q) IS NULL",
        "SELECT tmp.a FROM tmp",
    ] {
        let answer: Result<Option<Option<i64>>, _> = conn.query_first(sql).await;
        session.insert(sql.into(), format!("{answer:?}"));
    }
    session
}

/// A piece of a statement. Most are harmless; the others leave something in the session where they are read as they look.
fn piece() -> impl Strategy<Value = &'static str> {
    let harmless = prop::sample::select(vec![
        "1",
        "a",
        "id",
        "'x'",
        "'it''s'",
        "NULL",
        "t.a",
        "`a`",
        "ABS(a)",
        "COUNT(*)",
        "NOW()",
        "IF(a, 1, 2)",
        "CONCAT('a', 'b')",
        "(SELECT 1)",
        "a = 1",
        "a IN (1, 2)",
        "CAST(a AS CHAR)",
        "\"x\"",
        "-1",
        "1.5",
        "DATABASE()",
        "CONNECTION_ID()",
    ]);
    let trap = prop::sample::select(vec![
        "@a := 1",
        "(@a := a)",
        "GET_LOCK('a', 0)",
        "get_lock ('b', 0)",
        "LAST_INSERT_ID(5)",
        "f()",
        "test.f()",
        "`f`()",
        "f ()",
        "NEXTVAL(q)",
        "NEXT VALUE FOR q",
        "q.nextval",
        "SETVAL(q, 9)",
        "/*! @a := 1 */",
        "/*M! GET_LOCK('a', 0) */",
        "@@sql_mode",
        "'\\' , @a := 1 -- '",
        "`x``, @a := 1",
        "CONVERT('a' USING utf8mb4)",
        "RAND()",
        "ABS (1)",
        "test.abs(1)",
    ]);
    prop_oneof![3 => harmless, 1 => trap]
}

/// What stands behind the list of a SELECT.
fn tail() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        " FROM t",
        " FROM t WHERE a = 1",
        " FROM t LIMIT 1",
        " FROM t INTO @a",
        " INTO @a",
        " FROM t FOR UPDATE",
        " FROM t LOCK IN SHARE MODE",
        " FROM t GROUP BY a",
        " UNION SELECT 1",
        ";",
        "; SET @a = 1",
        " -- x",
        " # x",
        " FROM t LIMIT 1 INTO @a",
        "; USE mysql",
        " PROCEDURE ANALYSE()",
    ])
}

fn statement() -> impl Strategy<Value = String> {
    let list = || vec(piece(), 1..4).prop_map(|pieces| pieces.join(", "));
    prop_oneof![
        6 => (list(), tail()).prop_map(|(list, tail)| format!("SELECT {list}{tail}")),
        1 => piece().prop_map(|value| format!("INSERT INTO u VALUES ({value})")),
        1 => piece().prop_map(|value| format!("REPLACE INTO u (a) VALUES ({value})")),
        1 => piece().prop_map(|value| format!("UPDATE u SET a = {value}")),
        1 => piece().prop_map(|value| format!("DELETE FROM u WHERE {value}")),
        1 => piece().prop_map(|value| format!("INSERT INTO t (a) VALUES ({value})")),
        1 => piece().prop_map(|value| format!("DO {value}")),
        2 => prop::sample::select(vec![
            "SET @a = 1", "SET sql_mode = 'ANSI_QUOTES'", "SET autocommit = 0", "USE mysql", "BEGIN", "COMMIT", "ROLLBACK",
            "SAVEPOINT s", "CREATE TEMPORARY TABLE IF NOT EXISTS tmp (a INT)", "CREATE TEMPORARY TABLE untouched (b INT)",
            "LOCK TABLES t READ", "UNLOCK TABLES", "PREPARE s FROM 'SELECT 1'", "HANDLER t OPEN", "CALL p()", "SET NAMES latin1",
            "SET time_zone = '+03:00'", "BEGIN; SET @a = 1; COMMIT", "START TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY",
            "EXECUTE IMMEDIATE 'SET @a = 1'", "SELECT SQL_CALC_FOUND_ROWS 1",
        ]).prop_map(str::to_owned),
    ]
}

/// In capital letters, in small ones, or as it is.
fn spelled() -> impl Strategy<Value = String> {
    (statement(), 0..4_u8).prop_map(|(sql, spelling)| match spelling {
        0 => sql.to_ascii_lowercase(),
        1 => sql.replace(' ', "\n"),
        _ => sql,
    })
}

#[test]
// Nobody else borrows the watcher: the cases run one after the other.
#[allow(clippy::await_holding_refcell_ref)]
fn under_if_dirty_random_statements_leave_no_trace() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run(
                "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT) ENGINE=InnoDB;
                 CREATE TABLE test.u (a INT) ENGINE=InnoDB; CREATE TABLE test.untouched (a INT) ENGINE=InnoDB;
                 INSERT INTO test.t (a) VALUES (1), (2); CREATE SEQUENCE test.q;
                 CREATE PROCEDURE test.p() SET @a = 1",
            )
            .await;
        watcher
            .run("CREATE FUNCTION test.f() RETURNS INT BEGIN SET @a = 1; RETURN 1; END")
            .await;
        let pool = one(server.tcp().reset_policy(ResetPolicy::IfDirty));
        let clean = session(&mut pool.acquire().await.expect("a connection")).await;
        let watcher = RefCell::new(watcher);
        let kept = RefCell::new(0);
        let cases = RefCell::new(0);
        let result = runner(150).run(&vec(spelled(), 1..3), |statements| {
            block_on(async {
                // The fingerprint of the case before was not plain, so this one begins with a reset session.
                let mut conn = pool.acquire().await.expect("a connection");
                for sql in &statements {
                    // Many make no sense to the server.
                    let _ = conn.query_drop(sql.as_str()).await;
                }
                let mut watcher = watcher.borrow_mut();
                let before = watcher.count("Com_admin_commands").await;
                drop(conn);
                let mut conn = pool.acquire().await.expect("a connection");
                let resets = watcher.count("Com_admin_commands").await - before;
                *kept.borrow_mut() += u32::from(resets == 0);
                *cases.borrow_mut() += 1;
                let now = session(&mut conn).await;
                for (name, value) in &clean {
                    let same = now.get(name) == Some(value);
                    prop_assert!(
                        same,
                        "{} is {:?} after {:?}",
                        name,
                        now.get(name),
                        statements
                    );
                }
                Ok(())
            })
        });
        if let Err(failure) = result {
            panic!("{failure}");
        }
        // The test would prove nothing if all were reset.
        let (kept, cases) = (kept.into_inner(), cases.into_inner());
        assert!(
            kept * 10 > cases,
            "only {kept} of {cases} sessions were not reset"
        );
    });
}
