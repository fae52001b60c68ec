use std::time::Duration;

use super::*;
use crate::{IoRuntime, ResetPolicy};

fn options(url: &str) -> ConnectOptions {
    ConnectOptions::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn error(url: &str) -> ConfigError {
    ConnectOptions::from_url(url).expect_err(url)
}

#[test]
fn every_part_of_a_url_is_read() {
    let url = "mysql://app:secret@db.example:3307/shop?autocommit=true&charset=utf8mb4&sql_mode=ANSI_QUOTES,NO_ZERO_DATE\
        &init_command=SET%20@a=1&connect_timeout=500ms&echo=1&program_name=till&reset_policy=never&kill_on_cancel=on&io_runtime=background";
    let expected = ConnectOptions::new()
        .host("db.example")
        .port(3307)
        .user("app")
        .password("secret")
        .db("shop")
        .autocommit(true)
        .charset("utf8mb4")
        .sql_mode("ANSI_QUOTES,NO_ZERO_DATE")
        .init_command("SET @a=1")
        .connect_timeout(Duration::from_millis(500))
        .echo(true)
        .program_name("till")
        .reset_policy(ResetPolicy::Never)
        .kill_on_cancel(true)
        .io_runtime(IoRuntime::Background);
    assert_eq!(options(url), expected);
}

#[test]
fn every_part_may_be_left_out() {
    assert_eq!(options("mysql://"), ConnectOptions::new());
    assert_eq!(options("mysql:///"), ConnectOptions::new());
    assert_eq!(options("mariadb://localhost"), ConnectOptions::new());
    assert_eq!(
        options("mysql://u:@h"),
        ConnectOptions::new().host("h").user("u")
    );
    assert_eq!(options("mysql:///shop"), ConnectOptions::new().db("shop"));
}

#[test]
fn percent_encoding_is_decoded() {
    let expected = ConnectOptions::new()
        .user("a:b")
        .password("p@ss/w#rd?ü%")
        .host("h")
        .db("my db/x");
    let url = "mysql://a%3Ab:p%40ss%2Fw%23rd%3F%C3%BC%25@h/my%20db%2Fx";
    assert_eq!(options(url), expected);
    assert_eq!(error("mysql://%FF@h/").field(), "user");
    assert_eq!(error("mysql://u:%FF@h/").field(), "password");
}

#[test]
fn a_socket_is_a_parameter_or_an_encoded_host() {
    let expected = ConnectOptions::new()
        .user("root")
        .unix_socket("/run/my.sock");
    assert_eq!(
        options("mysql://root@localhost/?unix_socket=/run/my.sock"),
        expected
    );
    assert_eq!(options("mysql://root@%2Frun%2Fmy.sock"), expected);
}

#[test]
fn an_ipv6_address_loses_its_brackets() {
    let expected = ConnectOptions::new().host("::1").port(3307);
    assert_eq!(options("mysql://[::1]:3307/"), expected);
}

#[test]
fn none_leaves_it_to_the_server_or_takes_the_limit_away() {
    assert_eq!(options("mysql://?autocommit=none"), ConnectOptions::new());
    let expected = ConnectOptions::new().connect_timeout(None);
    assert_eq!(options("mysql://?connect_timeout=none"), expected);
}

#[test]
fn bad_parts_are_named() {
    for (url, field) in [
        ("", "url"),
        ("localhost", "url"),
        ("postgres://localhost/", "url"),
        ("mysql:localhost", "url"),
        ("mysql://h:99999/", "url"),
        ("mysql://root@/db", "host"),
        ("mysql://:3306/db", "host"),
        ("mysql://h:0/", "port"),
        ("mysql://h/db#x", "url"),
        ("mysql://h/a/b", "db"),
        ("mysql://h/?charset=a'b", "charset"),
        ("mysql://h/?connect_timeout=soon", "connect_timeout"),
        ("mysql://h/?connect_timeout=0", "connect_timeout"),
        ("mysql://h/?autocommit=perhaps", "autocommit"),
        ("mysql://h/?reset_policy=sometimes", "reset_policy"),
        ("mysql://h/?echo=1&echo=1", "echo"),
        ("mysql://h/?minsize=1", "minsize"),
        ("mysql://h/?password=x", "password"),
        ("mysql://h/?ssl=1", "ssl"),
        ("mysql://h/?ssl_ca=a&ssl-ca=b", "ssl-ca"),
        ("mysql://h/?ssl_mode=perhaps", "ssl_mode"),
        ("mysql://h/?local_infile=true", "local_infile"),
        ("mysql://h/?client_flag=32", "client_flag"),
    ] {
        assert_eq!(error(url).field(), field, "{url}");
    }
}

#[test]
fn an_unknown_parameter_names_the_nearest_known_one() {
    let message = |url| error(url).message().to_owned();
    assert_eq!(
        message("mysql://h/?char_set=utf8"),
        "no such parameter; did you mean charset?"
    );
    assert!(message("mysql://h/?foo=1").contains("there are auth_plugin, autocommit"));
    assert!(message("mysql://h/?maxsize=3").contains("create_pool_from_url"));
}

#[test]
fn no_error_repeats_a_password_that_was_not_encoded() {
    for url in [
        "mysql://root:12#s3cret@h/db",
        "mysql://root:12/s3cret@h/db",
        "mysql://root:12/s3cret@h",
        "mysql://root:12?s3cret@h/db",
        "mysql://root:12?s3cret@h=1",
        "mysql://root:s3cret#x@h",
        "mysql://root:s3cret/x@h",
        "mysql://root:s3cret%@h:x",
        "mysql://root:s3cret@[h",
        "mysql://root:s3cret@h/?password=s3cret",
        "mysql://root:s3cret@h/?echo=s",
        "mysql//root:s3cret@h/",
        "root:s3cret@h/",
    ] {
        let error = error(url);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{url}: {shown}");
    }
}
