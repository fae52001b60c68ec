use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Options with an option file of this content.
fn with_file(options: ConnectOptions, text: &str) -> Result<ConnectOptions, ConfigError> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("pool-mysql-resolve-{}-{number}.cnf", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    let resolved = options.read_default_file(&path).resolved();
    std::fs::remove_file(&path).unwrap();
    resolved
}

fn new() -> ConnectOptions {
    ConnectOptions::new()
}

const ALL: &str = "[client]\nuser=app\npassword='p#1'\nhost=db.example\nport=3307\ndatabase=shop\n\
    default-character-set=latin1\nquick\nmax_allowed_packet=16M\n";

#[test]
fn a_file_fills_options_that_were_not_given() {
    let expected = new()
        .user("app")
        .password("p#1")
        .host("db.example")
        .port(3307)
        .db("shop")
        .charset("latin1");
    assert_eq!(with_file(new(), ALL), Ok(expected));
}

#[test]
fn a_value_of_the_caller_wins() {
    let given = new()
        .user("me")
        .password("mine")
        .host("h")
        .port(1)
        .db("d")
        .charset("utf8mb4");
    assert_eq!(with_file(given.clone(), ALL), Ok(given));
}

#[test]
fn an_address_of_the_caller_is_not_mixed_with_a_socket_of_the_file() {
    let file = "[client]\nsocket=/run/s\nport=3307\n";
    let both = new().unix_socket("/run/s").port(3307);
    assert_eq!(with_file(new(), file), Ok(both));
    let host = new().host("h");
    assert_eq!(with_file(host.clone(), file), Ok(host.port(3307)));
    let socket = new().unix_socket("/mine");
    assert_eq!(with_file(socket.clone(), file), Ok(socket.port(3307)));
}

#[test]
fn a_bad_value_names_the_file_and_the_option() {
    let error = with_file(new(), "[client]\nport=many\n").unwrap_err();
    assert_eq!(error.field(), "port");
    assert!(error.message().contains(".cnf: "), "{error}");
}

#[test]
fn the_file_fills_the_options_for_tls_that_were_not_given() {
    use SslMode::*;

    let ssl = |options, file: &str| {
        let ssl = with_file(options, &format!("[client]\n{file}"))
            .unwrap()
            .ssl;
        (ssl.mode(), ssl.ca.is_some(), ssl.cert.is_some())
    };
    let of_build = new().ssl.mode();
    for (file, expected) in [
        ("", (of_build, false, false)),
        ("ssl-mode=VERIFY_CA\nssl-ca=/ca\n", (VerifyCa, true, false)),
        ("ssl-mode=REQUIRED\nssl-ca=/ca\n", (Required, false, false)),
        ("ssl-mode=DISABLED\nssl-ca=/ca\n", (Disabled, false, false)),
        ("ssl\n", (Required, false, false)),
        ("ssl=0\nssl-ca=/ca\n", (Disabled, false, false)),
        ("skip-ssl\nssl-ca=/ca\n", (Disabled, false, false)),
        ("ssl-ca=/ca\n", (VerifyIdentity, true, false)),
        (
            "ssl-ca=/ca\nssl-verify-server-cert=0\n",
            (VerifyCa, true, false),
        ),
        ("ssl-verify-server-cert\n", (VerifyIdentity, false, false)),
        ("ssl-cert=/c\nssl-key=/k\n", (Required, false, true)),
    ] {
        assert_eq!(ssl(new(), file), expected, "{file}");
    }
    let file = "ssl-ca=/ca\n";
    assert_eq!(
        ssl(new().ssl_mode(Disabled), file),
        (Disabled, false, false)
    );
    assert_eq!(
        ssl(new().ssl_mode(Required), file),
        (Required, false, false)
    );
    assert_eq!(ssl(new().unix_socket("/s"), file), (of_build, false, false));
    let own = new().ssl_ca("/mine");
    assert_eq!(ssl(own, "skip-ssl\n"), (VerifyIdentity, true, false));
}
