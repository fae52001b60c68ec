//! The statements of the reading's own tests, on a server: what one user does with them the next one does not see.

use std::collections::BTreeMap;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, ResetPolicy};

use crate::server::{Server, one, test};

#[path = "../../crates/pool-mysql/src/statement/neutral/dirty.rs"]
mod dirty;

/// What concerns more than the session, or takes its time.
const NOT_HERE: &[&str] = &[
    "SHUTDOWN",
    "KILL",
    "GLOBAL",
    "PERSIST",
    "PASSWORD",
    "SLEEP",
    "WAIT",
    "MASTER",
    "READ LOCK",
    "BACKUP",
];

/// What differs from one statement to the next by itself.
const RESTLESS: &[&str] = &[
    "timestamp",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "last_gtid",
    "error_count",
    "warning_count",
];

/// All that a session has.
async fn session(conn: &mut Connection) -> BTreeMap<String, String> {
    let known = "SELECT CONCAT_WS('|', @a IS NULL, @@in_transaction, DATABASE(), LAST_INSERT_ID(), \
                 IS_USED_LOCK('a') IS NULL, IS_USED_LOCK('b') IS NULL)";
    let known: Option<String> = conn.query_first(known).await.expect("it answers");
    let variables = conn
        .query::<(String, String), _>("SHOW SESSION VARIABLES")
        .await;
    let mut session: BTreeMap<String, String> =
        variables.expect("it answers").into_iter().collect();
    session.retain(|name, _| !RESTLESS.contains(&name.as_str()));
    session.insert("known".into(), known.expect("one row"));
    // Locked tables, a temporary table of that name, a prepared statement, an open handler.
    for sql in [
        "SELECT * FROM untouched",
        "SELECT id FROM t",
        "EXECUTE s",
        "HANDLER t READ FIRST",
    ] {
        let answer = match conn.query_drop(sql).await {
            Ok(()) => "works".to_owned(),
            Err(error) => error.to_string(),
        };
        session.insert(sql.into(), answer);
    }
    session
}

#[test]
fn under_if_dirty_no_statement_reaches_the_next_user() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let tables = "CREATE OR REPLACE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT);
                      CREATE OR REPLACE TABLE test.untouched (a INT)";
        watcher.run(tables).await;
        watcher
            .run("CREATE SEQUENCE test.s; CREATE PROCEDURE test.p() SET @a = 1")
            .await;
        watcher
            .run("CREATE FUNCTION test.f() RETURNS INT BEGIN SET @a = 1; RETURN 1; END")
            .await;
        let pool = one(server.tcp().reset_policy(ResetPolicy::IfDirty));
        let clean = session(&mut pool.acquire().await.unwrap()).await;
        let mut left = 0;
        for sql in dirty::DIRTY {
            if NOT_HERE
                .iter()
                .any(|word| sql.to_ascii_uppercase().contains(word))
            {
                continue;
            }
            let mut conn = pool.acquire().await.unwrap();
            // Many make no sense to it, or not here.
            let _ = conn.query_drop(*sql).await;
            drop(conn);
            let mut conn = pool.acquire().await.unwrap();
            // The tables are as they were, unless this session sees others.
            watcher.run(tables).await;
            let now = session(&mut conn).await;
            for (name, value) in &clean {
                assert_eq!(now.get(name), Some(value), "{name}, after {sql:?}");
            }
            left += 1;
        }
        assert!(left > 200, "{left} statements");
    });
}
