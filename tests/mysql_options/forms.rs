//! One table over the builder, URLs and serde.

use std::time::Duration;

use pool_core::ConfigError;
use pool_mysql::mysql_async::consts::CapabilityFlags;
use pool_mysql::{ConnectOptions, IoRuntime, PoolOptions, ResetPolicy, create_pool_from_url};
use serde_json::{Value, json};

/// What is built, what a URL says after `mysql://`, and what a configuration file says.
fn table() -> Vec<(ConnectOptions, &'static str, Value)> {
    let new = ConnectOptions::new;
    let whole = new()
        .host("db.example")
        .port(3307)
        .user("app")
        .password("s3cret")
        .db("shop");
    vec![
        (new(), "", json!({})),
        (
            whole,
            "app:s3cret@db.example:3307/shop",
            json!({"host": "db.example", "port": 3307, "user": "app", "password": "s3cret", "db": "shop"}),
        ),
        (
            new()
                .user("a:b")
                .password("p@ss/w#rd?ü% &=+\"'\\")
                .db("my db/x")
                .host("h"),
            "a%3Ab:p%40ss%2Fw%23rd%3F%C3%BC%25%20%26%3D%2B%22%27%5C@h/my%20db%2Fx",
            json!({"user": "a:b", "password": "p@ss/w#rd?ü% &=+\"'\\", "db": "my db/x", "host": "h"}),
        ),
        (new().host("::1"), "[::1]/", json!({"host": "::1"})),
        (
            new().unix_socket("/run/s"),
            "?unix_socket=/run/s",
            json!({"unix_socket": "/run/s"}),
        ),
        (
            new().unix_socket("/run/s"),
            "?socket=/run/s",
            json!({"socketPath": "/run/s"}),
        ),
        (
            new().ssl_mode(pool_mysql::SslMode::Disabled),
            "?sslmode=DISABLED",
            json!({"sslMode": "disabled"}),
        ),
        (
            new().charset("latin1"),
            "?charset=latin1",
            json!({"charset": "latin1"}),
        ),
        (new().sql_mode(""), "?sql_mode=", json!({"sql_mode": ""})),
        (
            new().init_command("SET @a = 1 + 1"),
            "?init_command=SET%20@a%20=%201%20%2B%201",
            json!({"init_command": "SET @a = 1 + 1"}),
        ),
        (
            new().connect_timeout(Duration::from_millis(1500)),
            "?connect_timeout=1.5",
            json!({"connect_timeout": 1.5}),
        ),
        (
            new().connect_timeout(Duration::from_secs(30)),
            "?connect-timeout=30s",
            json!({"connect-timeout": "30s"}),
        ),
        (
            new().connect_timeout(None),
            "?connect_timeout=none",
            json!({"connect_timeout": null}),
        ),
        (
            new().autocommit(false),
            "?autocommit=off",
            json!({"autocommit": false}),
        ),
        (
            new().autocommit(None),
            "?autocommit=none",
            json!({"autocommit": null}),
        ),
        (new().echo(true), "?echo=1", json!({"echo": true})),
        (
            new().program_name("till"),
            "?program_name=till",
            json!({"program_name": "till"}),
        ),
        (
            new().client_flag(CapabilityFlags::CLIENT_FOUND_ROWS),
            "?client_flag=0x2",
            json!({"client_flag": 2}),
        ),
        (
            new()
                .auth_plugin("mysql_clear_password")
                .enable_cleartext_plugin(true),
            "?auth_plugin=mysql_clear_password&enable_cleartext_plugin=true",
            json!({"auth_plugin": "mysql_clear_password", "enable_cleartext_plugin": true}),
        ),
        (
            new()
                .read_default_file("~/.my.cnf")
                .read_default_group("till"),
            "?read_default_file=~/.my.cnf&read_default_group=till",
            json!({"read_default_file": "~/.my.cnf", "read_default_group": "till"}),
        ),
        (
            // The file has a word in it, so what belongs together is not looked at yet.
            new()
                .read_default_file("f")
                .ssl_mode(pool_mysql::SslMode::VerifyCa)
                .ssl_ca("ca")
                .ssl_cert("cert")
                .ssl_key("key")
                .ssl_cert_password("p"),
            "?read_default_file=f&ssl-mode=VERIFY_CA&ssl-ca=ca&ssl-cert=cert&ssl-key=key&ssl_cert_password=p",
            json!({"read_default_file": "f", "ssl_mode": "verify-ca", "ssl_ca": "ca", "ssl_cert": "cert", "ssl_key": "key",
                "ssl_cert_password": "p"}),
        ),
        (
            new().local_infile(false),
            "?local_infile=false",
            json!({"local_infile": false}),
        ),
        (
            new().local_infile_paths(["a.csv", "/b c.csv"]),
            "?local_infile_paths=a.csv&local_infile_paths=/b%20c.csv",
            json!({"local_infile_paths": ["a.csv", "/b c.csv"]}),
        ),
        (
            new()
                .reset_policy(ResetPolicy::Never)
                .io_runtime(IoRuntime::Background),
            "?reset_policy=never&io_runtime=background",
            json!({"reset_policy": "never", "io_runtime": "Background"}),
        ),
        (
            new()
                .tcp_keepalive(Duration::from_secs(90))
                .tcp_nodelay(false)
                .statement_cache_size(0),
            "?tcp_keepalive=90s&tcp_nodelay=off&statement_cache_size=0",
            json!({"tcp_keepalive": 90, "tcp_nodelay": false, "statement_cache_size": 0}),
        ),
        (
            new().tcp_keepalive(None),
            "?tcp-keepalive=none",
            json!({"tcp_keepalive": null}),
        ),
        (
            new().command_timeout(Duration::from_millis(2500)),
            "?command_timeout=2500ms",
            json!({"command_timeout": 2.5}),
        ),
        (
            new().kill_on_cancel(true),
            "?kill_on_cancel=on",
            json!({"kill_on_cancel": true}),
        ),
    ]
}

#[test]
fn builder_url_and_serde_mean_the_same() {
    for (built, url, file) in table() {
        let url = format!("mysql://{url}");
        assert_eq!(ConnectOptions::from_url(&url).as_ref(), Ok(&built), "{url}");
        assert_eq!(
            serde_json::from_value::<ConnectOptions>(file.clone()).unwrap(),
            built,
            "{file}"
        );
        let of_pool = PoolOptions::from_url(&url).unwrap();
        assert_eq!(of_pool.connect_options(), &built, "{url}");
        let of_pool: PoolOptions = serde_json::from_value(file.clone()).unwrap();
        assert_eq!(of_pool.connect_options(), &built, "{file}");
    }
}

#[test]
fn a_pools_settings_stand_beside_the_options() {
    for (url, file) in [
        ("minsize=2&maxsize=0", json!({"minsize": 2, "maxsize": 0})),
        ("pool_recycle=3600", json!({"pool_recycle": 3600})),
        ("pool_recycle=-1", json!({"pool_recycle": -1})),
        ("pool_recycle=1h", json!({"pool_recycle": "3600s"})),
        (
            "acquire_timeout=30s&check_timeout=500ms&recycle_timeout=none&close_timeout=2",
            json!({"acquire_timeout": 30, "check_timeout": 0.5, "recycle_timeout": null, "close_timeout": "2s"}),
        ),
        (
            "idle_order=lifo&check_policy=always&upkeep=false",
            json!({"idle_order": "LIFO", "check_policy": "always", "upkeep": false}),
        ),
        ("check_policy=90", json!({"check_policy": 90})),
        (
            "name=orders&slow_acquire_after=500ms&leak_warning_after=60",
            json!({"name": "orders", "slow_acquire_after": 0.5, "leak_warning_after": "1m"}),
        ),
    ] {
        let of_url = PoolOptions::from_url(&format!("mysql://h/?{url}")).unwrap();
        let mut file = file;
        file["host"] = "h".into();
        let of_file: PoolOptions = serde_json::from_value(file).unwrap();
        assert_eq!(of_url, of_file, "{url}");
        assert_ne!(of_url, PoolOptions::from_url("mysql://h").unwrap(), "{url}");
    }
    let pool = create_pool_from_url("mysql://h/?minsize=3&maxsize=7&echo=1").unwrap();
    let pool = pool.build_lazy().unwrap();
    assert_eq!((pool.minsize(), pool.maxsize(), pool.echo()), (3, 7, true));
    let pool = create_pool_from_url("mysql://h/?name=orders").unwrap();
    assert_eq!(pool.build_lazy().unwrap().name(), "orders");
    for zero in ["slow_acquire_after", "leak_warning_after"] {
        let pool = create_pool_from_url(&format!("mysql://h/?{zero}=0")).unwrap();
        let Err(pool_core::Error::Config(error)) = pool.build_lazy() else {
            panic!("{zero}: it would warn every time");
        };
        assert_eq!(error.field(), zero);
    }
}

/// What is wrong in a file, by the error of a URL that has the same wrong in it.
fn errors(query: &str, file: Value) -> (ConfigError, String) {
    let error = PoolOptions::from_url(&format!("mysql://h/?{query}")).expect_err(query);
    let file = serde_json::from_value::<PoolOptions>(file).expect_err(query);
    (error, file.to_string())
}

#[test]
fn what_is_wrong_is_named_in_the_same_words() {
    for (query, file, field) in [
        ("autocomit=1", json!({"autocomit": true}), "autocomit"),
        ("max_size=1", json!({"max_size": 1}), "max_size"),
        ("ssl=1", json!({"ssl": "1"}), "ssl"),
        (
            "require_ssl=true",
            json!({"require_ssl": true}),
            "require_ssl",
        ),
        ("loop=x", json!({"loop": "x"}), "loop"),
        ("minsize=-1", json!({"minsize": -1}), "minsize"),
        (
            "connect_timeout=soon",
            json!({"connect_timeout": "soon"}),
            "connect_timeout",
        ),
        (
            "connect_timeout=0",
            json!({"connect_timeout": 0}),
            "connect_timeout",
        ),
        ("echo=perhaps", json!({"echo": "perhaps"}), "echo"),
        (
            "reset_policy=maybe",
            json!({"reset_policy": "maybe"}),
            "reset_policy",
        ),
        (
            "local_infile=1",
            json!({"local_infile": true}),
            "local_infile",
        ),
        (
            "client_flag=0x20",
            json!({"client_flag": 32}),
            "client_flag",
        ),
    ] {
        let (of_url, of_file) = errors(query, file);
        assert_eq!(of_url.field(), field);
        assert_eq!(of_url.to_string(), of_file);
    }
}

#[test]
fn the_nearest_known_word_is_named() {
    let (_, message) = errors("pool_recycl=1", json!({"pool_recycl": 1}));
    assert!(message.contains("did you mean pool_recycle?"), "{message}");
    let setting = serde_json::from_value::<ConnectOptions>(json!({"maxsize": 1})).unwrap_err();
    assert!(
        setting.to_string().contains("read PoolOptions instead"),
        "{setting}"
    );
    let place = serde_json::from_value::<ConnectOptions>(json!({"pasword": "s3cret"})).unwrap_err();
    let place = place.to_string();
    assert!(
        place.contains("did you mean password?") && !place.contains("s3cret"),
        "{place}"
    );
}

#[test]
fn a_file_that_gives_a_name_twice_is_refused() {
    let twice = r#"{"ssl-mode": "disabled", "ssl_mode": "disabled"}"#;
    let error = serde_json::from_str::<ConnectOptions>(twice).unwrap_err();
    assert!(
        error.to_string().starts_with("ssl_mode: it is given twice"),
        "{error}"
    );
}

#[test]
fn no_error_of_a_file_repeats_a_password() {
    for file in [
        r#"{"password": ["s3cret"]}"#,
        r#"{"password": {"s3cret": 1}}"#,
        r#"{"password": "s3cret", "port": "x"}"#,
        r#"{"password": "s3cret\u0000"}"#,
        r#"{"password": "s3cret", "password": "s3cret"}"#,
        r#"{"pass word: s3cret": 1}"#,
        r#""s3cret""#,
        r#"["s3cret"]"#,
        r#"{"password": 53837}"#,
        r#"{"password": 170141183460469231731687303715884105727}"#,
    ] {
        let error = serde_json::from_str::<PoolOptions>(file).expect_err("it is wrong");
        let shown = format!("{error} {error:?}");
        for secret in ["s3cret", "53837", "1701411834"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_file_may_hold_a_url_instead() {
    let url = "mysql://app:s3cret@h/shop?maxsize=3";
    let of_pool: PoolOptions = serde_json::from_value(url.into()).unwrap();
    assert_eq!(of_pool, PoolOptions::from_url(url).unwrap());
    let error = serde_json::from_value::<ConnectOptions>(url.into()).unwrap_err();
    assert!(
        error.to_string().starts_with("maxsize: only a pool"),
        "{error}"
    );
}
