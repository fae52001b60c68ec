//! The kinds of commands that are cancelled, and the kinds of state that a session can leave behind.

use std::future::Future;
use std::pin::Pin;

use futures::StreamExt;
use pool_core::Manager;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Params, Row, TxOpts, Value};
use pool_mysql::{ConnectOptions, Connection, MySqlManager, ScrollMode};

pub(crate) type Command<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A kind of command; what it answers does not matter.
pub(crate) type Kind = for<'a> fn(&'a mut Connection) -> Command<'a>;

pub(crate) const KINDS: &[(&str, Kind)] = &[
    ("text", |conn| {
        Box::pin(async { drop(conn.query::<Row, _>("SELECT 'alice', SLEEP(0.002)").await) })
    }),
    ("prepared", |conn| {
        Box::pin(async {
            drop(
                conn.exec::<Row, _, _>("SELECT ?, SLEEP(0.002)", ("alice",))
                    .await,
            )
        })
    }),
    ("batch", |conn| {
        Box::pin(async {
            let rows = (0..3).map(|number| (number, "alice"));
            drop(
                conn.exec_batch("INSERT INTO test.secrets VALUES (?, ?)", rows)
                    .await,
            );
        })
    }),
    ("ping", |conn| Box::pin(async { drop(conn.ping().await) })),
    ("begin", |conn| Box::pin(async { drop(conn.begin().await) })),
    ("commit", |conn| {
        Box::pin(async {
            drop(conn.query_drop("BEGIN").await);
            drop(
                conn.query_drop("INSERT INTO test.secrets VALUES (1, 'alice')")
                    .await,
            );
            drop(conn.commit().await);
        })
    }),
    ("rollback", |conn| {
        Box::pin(async {
            drop(conn.query_drop("BEGIN").await);
            drop(
                conn.query_drop("INSERT INTO test.secrets VALUES (1, 'alice')")
                    .await,
            );
            drop(conn.rollback().await);
        })
    }),
    ("savepoint", |conn| {
        Box::pin(async {
            for statement in [
                "BEGIN",
                "INSERT INTO test.secrets VALUES (1, 'alice')",
                "SAVEPOINT alice",
                "INSERT INTO test.secrets VALUES (2, 'alice')",
                "ROLLBACK TO SAVEPOINT alice",
                "RELEASE SAVEPOINT alice",
            ] {
                drop(conn.query_drop(statement).await);
            }
        })
    }),
    ("transaction guard", |conn| {
        Box::pin(async {
            if let Ok(mut tx) = conn.start_transaction(TxOpts::default()).await {
                let insert = "INSERT INTO test.secrets VALUES (?, 'alice')";
                drop(tx.exec_drop(insert, (1,)).await);
                drop(tx.commit().await);
            }
        })
    }),
    ("streaming rows", |conn| {
        Box::pin(async {
            if let Ok(mut rows) = conn
                .query_iter("SELECT seq, 'alice' FROM seq_1_to_50")
                .await
            {
                while let Ok(Some(row)) = rows.next().await {
                    drop(row);
                    futures_lite::future::yield_now().await;
                }
            }
        })
    }),
    ("text stream", |conn| {
        Box::pin(async {
            let sql = "SELECT seq, 'alice' FROM seq_1_to_50";
            if let Ok(mut rows) = conn.query_stream::<Row, _>(sql).await {
                while let Some(Ok(row)) = rows.next().await {
                    drop(row);
                    futures_lite::future::yield_now().await;
                }
            }
        })
    }),
    ("prepared stream", |conn| {
        Box::pin(async {
            let sql = "SELECT seq, ? FROM seq_1_to_50";
            if let Ok(mut rows) = conn.exec_stream::<Row, _, _>(sql, ("alice",)).await {
                while let Some(Ok(row)) = rows.next().await {
                    drop(row);
                    futures_lite::future::yield_now().await;
                }
            }
        })
    }),
    ("multi-result", |conn| {
        Box::pin(async {
            let sql = "SELECT 'alice-1'; SELECT SLEEP(0.002); SELECT 'alice-2'";
            if let Ok(mut sets) = conn.query_iter(sql).await {
                while !sets.is_empty() {
                    drop(sets.collect::<Row>().await);
                }
            }
        })
    }),
    ("prepare", |conn| {
        Box::pin(async { drop(conn.prep("SELECT 'alice', ?, ?").await) })
    }),
    ("close a statement", |conn| {
        Box::pin(async {
            if let Ok(statement) = conn.prep("SELECT 'alice', ?").await {
                drop(Queryable::close(conn, statement).await);
            }
        })
    }),
    ("LOCAL INFILE", |conn| {
        Box::pin(async {
            let load = "LOAD DATA LOCAL INFILE 'memory' INTO TABLE test.secrets";
            drop(conn.load_local(load, "1\talice\n".repeat(5000)).await);
        })
    }),
    ("cursor", |conn| {
        Box::pin(async {
            let mut cur = conn.cursor();
            drop(cur.execute("SELECT 'alice' UNION SELECT 'again'", ()).await);
            drop(cur.fetchone::<Row>().await);
        })
    }),
    ("executemany", |conn| {
        Box::pin(async {
            let mut cur = conn.cursor();
            let rows = (0..3).map(|number| (number, "alice"));
            let insert = "INSERT INTO test.secrets VALUES (?, ?)";
            drop(cur.executemany(insert, rows).await);
            // Not what a server takes at once: one command a row.
            let rows = (0..3).map(|number| (number, "alice"));
            drop(cur.executemany("SELECT ?, ?", rows).await);
        })
    }),
    ("server-side cursor", |conn| {
        Box::pin(async {
            for sql in [
                "SELECT seq, 'alice' FROM seq_1_to_9",
                "SELECT seq, ? FROM seq_1_to_9",
            ] {
                let mut cur = conn.ss_cursor();
                let params = match sql.contains('?') {
                    true => Params::from(("alice",)),
                    false => Params::Empty,
                };
                drop(cur.execute(sql, params).await);
                while let Ok(Some(row)) = cur.fetchone::<Row>().await {
                    drop(row);
                    futures_lite::future::yield_now().await;
                }
            }
        })
    }),
    ("server-side cursor, left unread", |conn| {
        Box::pin(async {
            let rows = "SELECT seq, REPEAT('alice', 200) FROM seq_1_to_90";
            let mut cur = conn.ss_cursor();
            drop(cur.execute(rows, ()).await);
            drop(cur.fetchone::<Row>().await);
            drop(cur.scroll(10, ScrollMode::Relative).await);
            drop(cur.execute(rows, ()).await);
            drop(cur.fetchmany::<Row>(3).await);
            drop(cur.close().await);
            let mut cur = conn.ss_dict_cursor();
            drop(cur.execute(rows, ()).await);
            drop(cur.fetchone().await);
            drop(conn.ping().await);
        })
    }),
    ("row stream", |conn| {
        Box::pin(async {
            let mut cur = conn.ss_cursor();
            drop(cur.execute("SELECT seq, 'alice' FROM seq_1_to_9", ()).await);
            let mut rows = cur.rows::<Row>();
            while let Some(Ok(row)) = rows.next().await {
                drop(row);
                futures_lite::future::yield_now().await;
            }
        })
    }),
    ("nextset", |conn| {
        Box::pin(async {
            let sql = "SELECT 'alice-1' FROM seq_1_to_3; DO SLEEP(0.002); SELECT 'alice-2'";
            let mut cur = conn.cursor();
            drop(cur.execute(sql, ()).await);
            while let Ok(true) = cur.nextset().await {}
            let mut cur = conn.ss_cursor();
            drop(cur.execute(sql, ()).await);
            drop(cur.fetchone::<Row>().await);
            while let Ok(true) = cur.nextset().await {
                drop(cur.fetchone::<Row>().await);
            }
        })
    }),
    ("callproc", |conn| {
        Box::pin(async {
            let args = || ("alice", 2);
            drop(conn.cursor().callproc("test.tell", args()).await);
            let mut cur = conn.ss_cursor();
            drop(cur.callproc("test.tell", args()).await);
            drop(cur.fetchone::<Row>().await);
            while let Ok(true) = cur.nextset().await {}
        })
    }),
    ("executemany of mixed types", |conn| {
        Box::pin(async {
            let rows = [(Value::Int(1), "alice"), (Value::from("2"), "alice")];
            let insert = "INSERT INTO test.secrets VALUES (?, ?)";
            drop(conn.ss_cursor().executemany(insert, rows).await);
        })
    }),
    ("select_db", |conn| {
        Box::pin(async { drop(conn.select_db("mysql").await) })
    }),
    ("session state", |conn| {
        Box::pin(async {
            for statement in DIRT {
                drop(conn.query_drop(statement).await);
            }
        })
    }),
    ("COM_RESET", |conn| {
        Box::pin(async {
            drop(conn.query_drop("SET @secret = 'alice'").await);
            drop(conn.query_drop("USE mysql").await);
            let manager = MySqlManager::new(ConnectOptions::new());
            drop(manager.recycle(conn).await);
        })
    }),
    ("close", |conn| {
        Box::pin(async { drop(conn.ensure_closed().await) })
    }),
];

/// Eight kinds of state that a session can leave behind.
pub(crate) const DIRT: [&str; 8] = [
    "SET @secret = 'alice'",
    "SET SESSION sql_mode = 'ANSI'",
    "CREATE TEMPORARY TABLE test.hidden (a INT)",
    "SELECT GET_LOCK('alice', 10)",
    "USE mysql",
    "SET NAMES latin1",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET autocommit = 0",
];
