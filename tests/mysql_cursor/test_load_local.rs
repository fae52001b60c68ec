//! aiomysql's `tests/test_load_local.py`, through a cursor.

use std::fs;
use std::path::PathBuf;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, connect};

use crate::server::{Server, number, test};

/// A file of the test's own, which is gone with it.
struct LocalFile(PathBuf);

impl LocalFile {
    fn new(name: &str, contents: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        fs::write(&path, contents).unwrap();
        Self(path)
    }

    fn load(&self) -> String {
        let path = self.0.display();
        format!(
            "LOAD DATA LOCAL INFILE '{path}' INTO TABLE test_load_local FIELDS TERMINATED BY ','"
        )
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        // Somebody may have been quicker.
        let _ = fs::remove_file(&self.0);
    }
}

/// A connection whose server may have this file.
async fn prepared(server: &Server, file: &LocalFile) -> Connection {
    let options = server.tcp().local_infile_paths([&file.0]);
    let mut conn = connect(options).await.unwrap();
    conn.query_drop("SET sql_mode = ''; CREATE TABLE test_load_local (a INTEGER, b INTEGER)")
        .await
        .unwrap();
    conn
}

#[test]
fn test_no_file() {
    test(|| async {
        let server = Server::start();
        let file = LocalFile::new("no_data", "");
        let mut conn = prepared(&server, &file).await;
        fs::remove_file(&file.0).unwrap();
        assert!(conn.cursor().execute(file.load(), ()).await.is_err());
    });
}

#[test]
fn test_load_file() {
    test(|| async {
        let server = Server::start();
        let lines: String = (0..22_749).map(|n| format!("{n},{}\n", n * 2)).collect();
        let file = LocalFile::new("load_local_data", &lines);
        let mut conn = prepared(&server, &file).await;
        let mut cur = conn.cursor();
        assert_eq!(cur.execute(file.load(), ()).await.unwrap(), 22_749);
        cur.execute("SELECT COUNT(*) FROM test_load_local", ())
            .await
            .unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((22_749,)));
        // The same through the other cursor.
        let mut cur = conn.ss_cursor();
        assert_eq!(cur.execute(file.load(), ()).await.unwrap(), 22_749);
    });
}

#[test]
fn test_load_warnings() {
    test(|| async {
        let server = Server::start();
        let file = LocalFile::new("load_local_warn_data", "1,2\n3,four\n");
        let mut conn = prepared(&server, &file).await;
        conn.cursor().execute(file.load(), ()).await.unwrap();
        assert_eq!(conn.warnings(), 1);
        let warnings: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").await.unwrap();
        assert!(warnings[0].2.contains("Incorrect integer value"));
        assert_eq!(
            number(&mut conn, "SELECT MAX(b) FROM test_load_local").await,
            2
        );
    });
}
