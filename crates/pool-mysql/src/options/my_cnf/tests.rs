use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A folder for one test, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("pool-mysql-my-cnf-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn message(result: Result<Group, ConfigError>) -> String {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => {
            assert_eq!(error.field(), "read_default_file");
            error.message().to_owned()
        }
    }
}

#[test]
fn the_client_group_is_read_and_the_chosen_one_wins() {
    let folder = Folder::new();
    let text = "[mysqld]\nport=1\n[till]\nport=3\nuser=a\n[client]\nport=2\nhost=h\nskip-ssl\n[till]\nuser=b\n";
    let file = folder.put("my.cnf", text);
    let client = read(&file, None).ok().unwrap();
    assert_eq!(client.get("port"), Some(Some("2")));
    assert_eq!(client.get("user"), None);
    assert_eq!(client.get("skip_ssl"), Some(None));
    let till = read(&file, Some("till")).ok().unwrap();
    assert_eq!(till.get("port"), Some(Some("3")));
    assert_eq!(till.get("host"), Some(Some("h")));
    assert_eq!(till.get("user"), Some(Some("b")));
}

#[test]
fn included_files_are_read_where_they_are_included() {
    let folder = Folder::new();
    folder.put("conf.d/2.cnf", "[client]\nport=2\nhost=two\n");
    folder.put("conf.d/1.cnf", "[client]\nport=1\n");
    folder.put("conf.d/3.txt", "[client]\nport=3\n");
    let one = folder.put(
        "one.cnf",
        "[other]\nuser=x\n[client]\nuser=included\ndatabase=d\n",
    );
    let text = format!(
        "[client]\nuser=first\n!include {}\nuser=last\n!includedir {}\n",
        one.display(),
        folder.0.join("conf.d").display()
    );
    let file = folder.put("my.cnf", &text);
    let client = read(&file, None).ok().unwrap();
    // After the included file the group of the including file goes on.
    assert_eq!(client.get("user"), Some(Some("last")));
    assert_eq!(client.get("database"), Some(Some("d")));
    assert_eq!(client.get("port"), Some(Some("2")));
    assert_eq!(client.get("host"), Some(Some("two")));
}

#[test]
fn a_file_of_another_systems_editor_is_read() {
    let folder = Folder::new();
    let text = "\u{feff}[client]\r\nuser = a \r\npassword='  # b'\r\n\r\n[till]\r\nskip-ssl\r\n";
    let file = folder.put("my.cnf", text);
    let till = read(&file, Some("till")).ok().unwrap();
    assert_eq!(till.get("user"), Some(Some("a")));
    assert_eq!(till.get("password"), Some(Some("  # b")));
    assert_eq!(till.get("skip_ssl"), Some(None));
}

#[test]
fn a_tilde_is_the_home() {
    let home = std::env::home_dir().expect("whoever runs tests has a home");
    assert_eq!(
        at_home(Path::new("~/.my.cnf")).ok(),
        Some(home.join(".my.cnf"))
    );
    assert_eq!(at_home(Path::new("/a/~")).ok(), Some("/a/~".into()));
    assert_eq!(at_home(Path::new("~a/b")).ok(), Some("~a/b".into()));
}

#[test]
fn errors_name_the_file_and_show_no_value() {
    let folder = Folder::new();
    let nowhere = folder.0.join("nowhere.cnf");
    assert!(message(read(&nowhere, None)).contains("nowhere.cnf cannot be read"));
    let file = folder.put("a.cnf", "# a\n\npassword=s3cret\n");
    let text = message(read(&file, None));
    assert!(
        text.contains("a.cnf, line 3: an option stands before"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    let file = folder.put("b.cnf", "[client]\n=s3cret\n");
    let text = message(read(&file, None));
    assert!(
        text.contains("line 2") && !text.contains("s3cret"),
        "{text}"
    );
    let file = folder.put("c.cnf", &format!("!include {}\n", nowhere.display()));
    assert!(message(read(&file, None)).contains("nowhere.cnf cannot be read"));
}

#[test]
fn a_file_that_includes_itself_does_not_loop() {
    let folder = Folder::new();
    let path = folder.0.join("my.cnf");
    let file = folder.put(
        "my.cnf",
        &format!("[client]\n!include {}\n", path.display()),
    );
    assert!(message(read(&file, None)).contains("too deep"));
}
