//! Parameters of `aiomysql.connect()` that reach the server in a way of their own.

use std::path::PathBuf;

use pool_mysql::mysql_async::consts::CapabilityFlags;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Error, connect, create_pool};

use crate::server::{Server, test, text};

/// A folder of a test's own; removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("pool-mysql-parameters-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_option_file_leads_to_the_server() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE USER till@'%' IDENTIFIED BY 'p#1 \"\\\\'")
            .await;
        watcher.run("GRANT ALL ON test.* TO till@'%'").await;
        let folder = Folder::new("file");
        folder.put("secret.cnf", "[till]\npassword = 'p#1 \\\"\\\\' # ours\n");
        let file = folder.put(
            "my.cnf",
            &format!(
                "[client]\nhost=127.0.0.1\nport={}\nuser=nobody\nquick\n[till]\nuser=till\ndatabase=test\n\
                 default-character-set=latin1\n!includedir {}\n",
                server.port(),
                folder.0.display()
            ),
        );
        // The folder holds the file itself too: it must not include itself for ever.
        let error = ConnectOptions::new()
            .read_default_file(&file)
            .validate()
            .unwrap_err();
        assert_eq!(error.field(), "read_default_file");
        let conf_d = folder.0.join("conf.d");
        std::fs::create_dir(&conf_d).unwrap();
        std::fs::rename(folder.0.join("secret.cnf"), conf_d.join("secret.cnf")).unwrap();
        let text_of_file = std::fs::read_to_string(&file).unwrap();
        let folder_line = format!("!includedir {}", folder.0.display());
        let changed =
            text_of_file.replace(&folder_line, &format!("!includedir {}", conf_d.display()));
        std::fs::write(&file, changed).unwrap();

        let options = ConnectOptions::new()
            .read_default_file(&file)
            .read_default_group("till");
        let mut conn = connect(options.clone()).await.unwrap();
        assert_eq!(conn.user(), Some("till"));
        assert_eq!((conn.host(), conn.port()), (server.host(), server.port()));
        assert_eq!(conn.db(), Some("test"));
        let charset = text(&mut conn, "SELECT @@character_set_client").await;
        assert_eq!(charset.as_deref(), Some("latin1"));
        let pool = create_pool(options.clone()).build().await.unwrap();
        pool.acquire().await.unwrap().ping().await.unwrap();
        // What the program says wins.
        let error = connect(options.password("wrong")).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1045));
    });
}

#[test]
fn a_missing_option_file_is_found_before_anything_is_opened() {
    test(|| async {
        let options = ConnectOptions::new().read_default_file("/no/such/file.cnf");
        let error = connect(options.clone()).await.unwrap_err();
        assert!(matches!(&error, Error::Config(error) if error.field() == "read_default_file"));
        let error = create_pool(options).build_lazy().unwrap_err();
        assert!(
            matches!(&error, pool_mysql::pool_core::Error::Config(error) if error.field() == "read_default_file")
        );
    });
}

#[test]
fn found_rows_are_counted_where_the_flag_is_set() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher.run("CREATE TABLE test.t AS SELECT 1 AS a").await;
        for (flags, counted) in [
            (CapabilityFlags::empty(), 0),
            (CapabilityFlags::CLIENT_FOUND_ROWS, 1),
        ] {
            let mut conn = connect(server.tcp().client_flag(flags)).await.unwrap();
            conn.query_drop("UPDATE t SET a = 1").await.unwrap();
            assert_eq!(conn.affected_rows(), counted);
        }
    });
}
