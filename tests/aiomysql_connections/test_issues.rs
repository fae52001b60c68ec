//! `test_issues.py`: what once went wrong in aiomysql and its ancestors.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Row, Value};
use pool_mysql::{ConnectOptions, Dict, connect};

use crate::server::{Server, is_refused, number, test, text};

#[test]
fn test_issue_3() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let create = "create table issue3 (d date, t time, dt datetime, ts timestamp not null)";
        conn.query_drop(create).await.unwrap();
        let mut cur = conn.cursor();
        let insert = "insert into issue3 (d, t, dt, ts) values (?,?,?,?)";
        let nulls = vec![Value::NULL; 4];
        cur.execute(insert, nulls).await.unwrap();
        for column in ["d", "t", "dt"] {
            let select = format!("select {column} from issue3");
            cur.execute(select, ()).await.unwrap();
            assert_eq!(cur.fetchone().await.unwrap(), Some((Value::NULL,)));
        }
        // MariaDB's first timestamp of a table: a NULL becomes the present.
        cur.execute("select ts from issue3 where 1 = ?", (1,))
            .await
            .unwrap();
        let (ts,): (Value,) = cur.fetchone().await.unwrap().unwrap();
        assert!(matches!(ts, Value::Date(2020.., ..)), "{ts:?}");
    });
}

#[test]
fn test_issue_4() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("create table issue4 (ts timestamp)")
            .await
            .unwrap();
        conn.query_drop("insert into issue4 (ts) values (now())")
            .await
            .unwrap();
        let ts: Option<Value> = conn.exec_first("select ts from issue4", ()).await.unwrap();
        assert!(matches!(ts, Some(Value::Date(2020.., ..))), "{ts:?}");
    });
}

#[test]
fn test_issue_5() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let count = cur
            .execute("select * from information_schema.tables", ())
            .await
            .unwrap();
        assert!(count > 50, "{count}");
    });
}

#[test]
fn test_issue_6() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp().db("mysql")).await.unwrap();
        let users: Vec<Row> = conn.query("select * from user").await.unwrap();
        assert!(!users.is_empty());
        conn.ensure_closed().await.unwrap();
    });
}

#[test]
fn test_issue_8() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let create = "CREATE TABLE `test` (`station` int(10) NOT NULL DEFAULT '0', `dh` datetime NOT NULL \
            DEFAULT '0000-00-00 00:00:00', `echeance` int(1) NOT NULL DEFAULT '0', `me` double DEFAULT NULL, \
            PRIMARY KEY (`station`,`dh`,`echeance`)) ENGINE=MyISAM DEFAULT CHARSET=latin1";
        conn.query_drop(create).await.unwrap();
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM test", ()).await.unwrap();
        assert_eq!(cur.rowcount(), 0);
        cur.execute("ALTER TABLE `test` ADD INDEX `idx_station` (`station`)", ())
            .await
            .unwrap();
        cur.execute("SELECT * FROM test", ()).await.unwrap();
        assert_eq!(cur.rowcount(), 0);
    });
}

/// Writes a value of a column's type and reads it again.
async fn there_and_back(column: &str, value: &str) {
    let server = Server::start();
    let mut conn = server.connect().await;
    conn.query_drop(format!("create table t (t {column})"))
        .await
        .unwrap();
    let mut cur = conn.cursor();
    cur.execute("insert into t (t) values (?)", (value,))
        .await
        .unwrap();
    for query in ["select t from t", "select t from t where t = ?"] {
        match query.contains('?') {
            true => cur.execute(query, (value,)).await.unwrap(),
            false => cur.execute(query, ()).await.unwrap(),
        };
        let (back,): (String,) = cur.fetchone().await.unwrap().unwrap();
        assert!(
            back == value,
            "{} bytes instead of {}",
            back.len(),
            value.len()
        );
    }
}

#[test]
fn test_issue_13() {
    test(|| async { there_and_back("text", &"x".repeat(18 * 1024)).await });
}

#[test]
fn test_issue_15() {
    test(|| async { there_and_back("varchar(32)", "\u{e4}\u{f6}\u{fc}").await });
}

#[test]
fn test_issue_16() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let create = "create table issue16 (name varchar(32) primary key, email varchar(32))";
        conn.query_drop(create).await.unwrap();
        let insert = "insert into issue16 (name, email) values ('pete', 'floydophone')";
        conn.query_drop(insert).await.unwrap();
        let mut cur = conn.cursor();
        cur.execute("select email from issue16 where name=?", ("pete",))
            .await
            .unwrap();
        let email: Option<(String,)> = cur.fetchone().await.unwrap();
        assert_eq!(email, Some(("floydophone".to_owned(),)));
    });
}

#[test]
fn test_issue_17() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE TABLE test.issue17 (x varchar(32) primary key)")
            .await;
        watcher
            .run("INSERT INTO test.issue17 (x) VALUES ('hello, world!')")
            .await;
        watcher
            .run("GRANT ALL PRIVILEGES ON test.issue17 TO 'issue17user'@'%' IDENTIFIED BY '1234'")
            .await;
        let options = server.tcp().user("issue17user").password("1234");
        let mut conn = connect(options).await.unwrap();
        let x = text(&mut conn, "select x from issue17").await;
        assert_eq!(x.as_deref(), Some("hello, world!"));
    });
}

#[test]
fn test_issue_34() {
    test(|| async {
        // Nobody listens there: it was just free, and is not given to anybody.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let options = ConnectOptions::new()
            .host("127.0.0.1")
            .port(port)
            .user("root");
        let error = connect(options).await.unwrap_err();
        assert!(
            error.is_retryable() && !error.is_connection_lost(),
            "{error:?}"
        );
    });
}

#[test]
fn test_issue_33() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp().charset("utf8mb3")).await.unwrap();
        for sql in [
            "create table hei\u{df}e (name varchar(32)) charset utf8mb3",
            "insert into hei\u{df}e (name) values ('Pi\u{f1}ata')",
        ] {
            conn.query_drop(sql).await.unwrap();
        }
        let name = text(&mut conn, "select name from hei\u{df}e").await;
        assert_eq!(name.as_deref(), Some("Pi\u{f1}ata"));
    });
}

#[test]
fn test_issue_36() {
    test(|| async {
        let server = Server::start();
        let (mut conn, mut other) = (server.connect().await, server.connect().await);
        let id = conn.connection_id();
        // It is told that it was killed, or hears nothing more.
        let error = conn.kill(id).await.unwrap_err();
        let error = pool_mysql::Error::from(error);
        assert!(
            error.is_connection_lost() || error.server_code() == Some(1317),
            "{error:?}"
        );
        assert!(conn.query_drop("show tables").await.is_err());
        assert!(is_refused(&conn.query_drop("show tables").await));
        while number(
            &mut other,
            &format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id}"),
        )
        .await
            > 0
        {}

        let victim = server.connect().await;
        other.kill(victim.connection_id()).await.unwrap();
        let error = other.kill(u64::from(u32::MAX)).await.unwrap_err();
        assert!(
            matches!(error, pool_mysql::mysql_async::Error::Server(error) if error.code == 1094)
        );
    });
}

#[test]
fn test_issue_37() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        assert_eq!(cur.execute("SELECT @foo", ()).await.unwrap(), 1);
        assert_eq!(cur.fetchone().await.unwrap(), Some((Value::NULL,)));
        assert_eq!(cur.execute("SET @foo = 'bar'", ()).await.unwrap(), 0);
        cur.execute("set @foo = 'bar'", ()).await.unwrap();
    });
}

#[test]
fn test_issue_38() {
    test(|| async { there_and_back("mediumtext", &"a".repeat(1024 * 1023)).await });
}

#[test]
fn test_issue_54() {
    test(|| async {
        let server = Server::with(&["--thread-stack=8M"]);
        let mut conn = server.connect().await;
        conn.query_drop("create table issue54 (id integer primary key)")
            .await
            .unwrap();
        conn.query_drop("insert into issue54 (id) values (7)")
            .await
            .unwrap();
        let all: Vec<String> = (0..20_000).map(|i| format!("{i}={i}")).collect();
        let query = format!("select * from issue54 where {}", all.join(" and "));
        assert_eq!(number(&mut conn, &query).await, 7);
    });
}

#[test]
fn test_issue_66() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        assert_eq!(conn.insert_id(), None);
        let create = "create table issue66 (id integer primary key auto_increment, x integer)";
        conn.query_drop(create).await.unwrap();
        for _ in 0..2 {
            conn.query_drop("insert into issue66 (x) values (1)")
                .await
                .unwrap();
        }
        assert_eq!(conn.insert_id(), Some(2));
    });
}

#[test]
fn test_issue_79() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE a (id int, value int); CREATE TABLE b (id int, value int)")
            .await
            .unwrap();
        conn.exec_drop("insert into a values (?, ?)", (1, 11))
            .await
            .unwrap();
        conn.exec_drop("insert into b values (?, ?)", (1, 22))
            .await
            .unwrap();
        let mut cur = conn.dict_cursor();
        cur.execute("SELECT * FROM a inner join b on a.id = b.id", ())
            .await
            .unwrap();
        let row: Dict = cur.fetchone().await.unwrap().unwrap();
        let value = |name: &str| row.get::<i32>(name).unwrap();
        assert_eq!((value("id"), value("value"), value("b.value")), (1, 11, 22));
    });
}

#[test]
fn test_issue_95() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE PROCEDURE `foo` () BEGIN SELECT 1; END")
            .await
            .unwrap();
        let mut cur = conn.cursor();
        cur.execute("CALL foo()", ()).await.unwrap();
        cur.execute("SELECT 2", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((2,)));
    });
}

#[test]
fn test_issue_114() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.autocommit(false).await.unwrap();
        assert_eq!(number(&mut conn, "select @@autocommit").await, 0);
        // A ping never connects again, so there is no session in which it could be forgotten.
        conn.ensure_closed().await.unwrap();
        assert!(is_refused(&conn.ping().await));
        let mut conn = connect(server.tcp().autocommit(false)).await.unwrap();
        assert_eq!(number(&mut conn, "select @@autocommit").await, 0);
        conn.autocommit(true).await.unwrap();
        assert_eq!(number(&mut conn, "select @@autocommit").await, 1);
    });
}

#[test]
fn test_issue_175() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        for length in [200, 300] {
            let columns: Vec<String> = (0..length).map(|i| format!("c{i} integer")).collect();
            let create = format!(
                "create or replace table test_field_count ({})",
                columns.join(", ")
            );
            conn.query_drop(create).await.unwrap();
            let mut cur = conn.cursor();
            cur.execute("select * from test_field_count", ())
                .await
                .unwrap();
            assert_eq!(cur.description().map(<[_]>::len), Some(length));
        }
    });
}
