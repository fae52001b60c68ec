//! aiomysql's `tests/test_nextset.py`, on both kinds of cursor.

use crate::server::{Server, test};

#[test]
fn test_nextset() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let sql = "SELECT 1; SELECT 2;";
        let mut cur = conn.cursor();
        cur.execute(sql, ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(1,)]);
        assert!(cur.nextset().await.unwrap());
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(2,)]);
        assert!(!cur.nextset().await.unwrap());
        // It stays at the last one.
        assert!(!cur.nextset().await.unwrap());
        let mut cur = conn.ss_cursor();
        cur.execute(sql, ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(1,)]);
        assert!(cur.nextset().await.unwrap());
        assert_eq!((cur.rownumber(), cur.rowcount()), (0, 0));
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(2,)]);
        assert!(!cur.nextset().await.unwrap());
        assert!(!cur.nextset().await.unwrap());
    });
}

#[test]
fn test_skip_nextset() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("SELECT 1; SELECT 2;", ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(1,)]);
        cur.execute("SELECT 42", ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(42,)]);
        assert!(!cur.nextset().await.unwrap());
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT 1; SELECT 2;", ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(1,)]);
        cur.execute("SELECT 42", ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(42,)]);
        assert!(!cur.nextset().await.unwrap());
    });
}

#[test]
fn test_ok_and_next() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let sql = "SELECT 1; commit; SELECT 2;";
        let mut cur = conn.cursor();
        cur.execute(sql, ()).await.unwrap();
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(1,)]);
        assert!(cur.nextset().await.unwrap());
        assert!(cur.nextset().await.unwrap());
        assert_eq!(cur.fetchall::<(i32,)>().await.unwrap(), [(2,)]);
        assert!(!cur.nextset().await.unwrap());
        let mut cur = conn.ss_cursor();
        cur.execute(sql, ()).await.unwrap();
        assert!(cur.nextset().await.unwrap(), "its row is skipped");
        assert!(cur.description().is_none());
        assert_eq!(cur.fetchone::<(i32,)>().await.unwrap(), None);
        assert!(cur.nextset().await.unwrap());
        assert_eq!(cur.fetchone::<(i32,)>().await.unwrap(), Some((2,)));
        assert!(!cur.nextset().await.unwrap());
    });
}
