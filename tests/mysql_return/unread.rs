//! Results that were not read: a short rest is read and dropped, a long one costs the connection.

use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ResetPolicy, create_pool};

use crate::server::{Server, number, test};

/// Whether the connection survives a query whose result nobody reads.
async fn survives(server: &Server, policy: ResetPolicy, prepared: bool, query: &str) -> bool {
    let pool = create_pool(server.tcp().reset_policy(policy))
        .minsize(0)
        .maxsize(1)
        // Nothing else ends the download.
        .recycle_timeout(None)
        .build_lazy()
        .unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let id = conn.connection_id();
    match prepared {
        true => drop(conn.exec_iter(query, ()).await.unwrap()),
        false => drop(conn.query_iter(query).await.unwrap()),
    }
    let kept = PooledConnection::release(conn).await.is_ok();
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(number(&mut conn, "SELECT 42").await, 42, "{query}");
    assert_eq!(conn.connection_id() == id, kept, "{query}");
    kept
}

#[test]
fn the_rest_of_a_result_has_a_budget_of_bytes_and_of_time() {
    test(|| async {
        let server = Server::start();
        for policy in [
            ResetPolicy::Always,
            ResetPolicy::IfDirty,
            ResetPolicy::RollbackOnly,
            ResetPolicy::Never,
        ] {
            for prepared in [false, true] {
                for (rows, kept) in [
                    // Much below a mebibyte, and much above, though it would come in no time.
                    ("SELECT REPEAT('x', 1000) FROM seq_1_to_300", true),
                    ("SELECT REPEAT('x', 1000) FROM seq_1_to_5000", false),
                    // Numbers count as well.
                    ("SELECT seq FROM seq_1_to_5000", true),
                    ("SELECT seq, seq, seq FROM seq_1_to_500000", false),
                    // Few bytes, which take their time.
                    (
                        "SELECT SLEEP(0.15), REPEAT('x', 20000) FROM seq_1_to_30",
                        false,
                    ),
                ] {
                    let survives = survives(&server, policy, prepared, rows).await;
                    assert_eq!(survives, kept, "{policy:?}, prepared {prepared}: {rows}");
                }
            }
        }
    });
}
