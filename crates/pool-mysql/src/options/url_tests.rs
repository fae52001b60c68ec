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
    let with_db = expected.clone().db("shop");
    assert_eq!(options("mysql://root@%2Frun%2Fmy.sock/shop"), with_db);
    let comma = ConnectOptions::new().unix_socket("/run/a,b");
    assert_eq!(options("mysql://%2Frun%2Fa%2Cb"), comma);
}

#[test]
fn a_socket_as_the_host_has_no_port_and_no_second_host() {
    for (url, field, message) in [
        (
            "mysql://u@%2Frun%2Fmy.sock:3306/db",
            "host",
            "it is the path of a socket, which has no port: remove one",
        ),
        (
            "mysql://u@%2Frun%2Fmy.sock,h/db",
            "host",
            "it is a list: a connection goes to one host or one socket; write one",
        ),
        (
            "mysql://u@a,b/db",
            "host",
            "it is a list: a connection goes to one host or one socket; write one",
        ),
        (
            "mysql://u@run%2Fmy.sock/db",
            "host",
            "it has a /: the path of a socket must begin with one (%2F)",
        ),
        (
            "mysql://u@%2Frun%2Fmy.sock/db?socket=/run/my.sock",
            "socket",
            "it is given twice: remove one",
        ),
    ] {
        let error = error(url);
        assert_eq!((error.field(), error.message()), (field, message), "{url}");
    }
}

#[test]
fn the_names_of_other_clients_for_the_same_option_are_taken() {
    let socket = ConnectOptions::new().host("h").unix_socket("/s");
    for name in ["socket", "socketPath", "unix-socket"] {
        assert_eq!(options(&format!("mysql://h/?{name}=/s")), socket, "{name}");
    }
    // The file keeps what belongs together from being looked at.
    let tls = ConnectOptions::new()
        .host("h")
        .read_default_file("f")
        .ssl_mode(crate::SslMode::VerifyCa)
        .ssl_ca("a")
        .ssl_cert("c")
        .ssl_key("k");
    for names in [
        "ssl-mode=VERIFY_CA&ssl-ca=a&ssl-cert=c&ssl-key=k",
        "ssl_mode=verify_ca&ssl_ca=a&ssl_cert=c&ssl_key=k",
        "sslmode=verify-ca&sslca=a&sslcert=c&sslkey=k",
        "sslMode=VERIFY_CA&sslCa=a&sslCert=c&sslKey=k",
    ] {
        let url = format!("mysql://h/?read_default_file=f&{names}");
        assert_eq!(options(&url), tls, "{names}");
    }
    assert_eq!(
        error("mysql://h/?unix_socket=/a&socket=/b").field(),
        "socket"
    );
    let wrong = error("mysql://h/?sslMode=trust");
    assert_eq!(wrong.field(), "ssl_mode");
}

#[test]
fn where_a_connect_goes_has_no_password() {
    for (url, destination) in [
        ("mysql://app:s3cret@h/db?echo=1", "h:3306 as app"),
        ("mysql://app:s3cret@[::1]:3307", "[::1]:3307 as app"),
        ("mysql://app:s3cret@%2Frun%2Fmy.sock", "/run/my.sock as app"),
    ] {
        assert_eq!(options(url).destination(), destination);
    }
}

#[test]
fn a_name_of_another_client_for_something_similar_names_ours() {
    for (parameter, message) in [
        (
            "require_ssl=true",
            "require_ssl: no such parameter; did you mean ssl_mode=required?",
        ),
        (
            "verify_identity=true",
            "verify_identity: no such parameter; did you mean ssl_mode=verify_identity?",
        ),
        (
            "characterEncoding=utf8",
            "characterEncoding: no such parameter; did you mean charset?",
        ),
        (
            "database=shop",
            "database: it has its own place: mysql://user:password@host:port/db",
        ),
        (
            "pool_max=3",
            "pool_max: only a pool has a use for it: pass this URL to create_pool_from_url",
        ),
    ] {
        let error = error(&format!("mysql://h/?{parameter}"));
        assert_eq!(error.to_string(), message);
    }
    let error = crate::PoolOptions::from_url("mysql://h/?pool_max=3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "pool_max: no such parameter; did you mean maxsize?"
    );
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
