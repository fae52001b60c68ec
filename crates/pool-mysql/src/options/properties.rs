//! Random URLs and option files.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::my_cnf;
use super::{ConnectOptions, IoRuntime, PoolOptions, ResetPolicy};

/// The same input in every run. `PROPTEST_CASES` asks for more of it.
fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(10),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// No secret is this by chance.
const SECRET: &str = "Zk9-secret-Zk9";

/// Any text that an option can have.
fn text() -> impl Strategy<Value = String> {
    "[^\0]{1,12}"
}

/// Where a test writes an option file.
fn file(name: &str) -> PathBuf {
    let name = format!("pool-mysql-{name}-{}.cnf", std::process::id());
    std::env::temp_dir().join(name)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// One parameter: what it does to the options, and how a URL writes it.
type Parameter = (ConnectOptions, &'static str, String);

/// Options that differ from the defaults in one thing, with its name and its value.
fn parameter() -> impl Strategy<Value = Parameter> {
    let new = ConnectOptions::new;
    prop_oneof![
        any::<bool>().prop_map(move |on| (new().autocommit(on), "autocommit", on.to_string())),
        any::<bool>().prop_map(move |on| (new().echo(on), "echo", on.to_string())),
        (1..100_000_u64).prop_map(move |time| {
            let options = new().connect_timeout(Duration::from_millis(time));
            (options, "connect_timeout", format!("{time}ms"))
        }),
        (1..100_000_u64).prop_map(move |time| {
            let options = new().command_timeout(Duration::from_secs(time));
            (options, "command-timeout", format!("{time}s"))
        }),
        // One of blanks only is refused.
        "[a-z][^\0]{0,8}".prop_map(move |sql| (new().init_command(&sql), "init_command", sql)),
        text().prop_map(move |text| (new().program_name(&text), "program_name", text)),
        "[A-Z_,]{0,20}".prop_map(move |mode| (new().sql_mode(&mode), "sql-mode", mode)),
        Just((
            new().reset_policy(ResetPolicy::IfDirty),
            "reset_policy",
            "if_dirty".into()
        )),
        Just((
            new().io_runtime(IoRuntime::Background),
            "io_runtime",
            "background".into()
        )),
    ]
}

/// Puts what one parameter does into other options.
fn apply(options: ConnectOptions, (one, name, _): &Parameter) -> ConnectOptions {
    let mut all = options;
    match *name {
        "autocommit" => all.autocommit = one.autocommit,
        "echo" => all.echo = one.echo,
        "connect_timeout" => all.connect_timeout = one.connect_timeout,
        "command-timeout" => all.command_timeout = one.command_timeout,
        "init_command" => all.init_command.clone_from(&one.init_command),
        "program_name" => all.program_name.clone_from(&one.program_name),
        "sql-mode" => all.sql_mode.clone_from(&one.sql_mode),
        "reset_policy" => all.reset_policy = one.reset_policy,
        "io_runtime" => all.io_runtime = one.io_runtime,
        _ => unreachable!("it is one of the list"),
    }
    all
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_url_says_what_its_parts_say(
        user in proptest::option::of(text()),
        password in proptest::option::of(text()),
        host in prop_oneof![Just("db.example"), Just("127.0.0.1"), Just("::1")],
        port in proptest::option::of(1..=u16::MAX),
        // The name of a database cannot end in a space.
        db in proptest::option::of("[^\0]{0,8}[a-z]"),
        parameters in proptest::collection::vec(parameter(), 0..6),
    ) {
        let mut options = ConnectOptions::new().host(host);
        let mut url = "mysql://".to_owned();
        if let Some(user) = &user {
            options = options.user(user);
            url += &encoded(user);
            if let Some(password) = &password {
                options = options.password(password);
                url += &format!(":{}", encoded(password));
            }
            url += "@";
        }
        url += &match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        if let Some(port) = port {
            options = options.port(port);
            url += &format!(":{port}");
        }
        url += "/";
        if let Some(db) = &db {
            options = options.db(db);
            url += &encoded(db);
        }
        let mut seen = Vec::new();
        for parameter in &parameters {
            let (_, name, value) = parameter;
            if seen.contains(name) {
                continue;
            }
            url += if seen.is_empty() { "?" } else { "&" };
            url += &format!("{name}={}", encoded(value));
            options = apply(options, parameter);
            seen.push(*name);
        }
        let read = ConnectOptions::from_url(&url);
        prop_assert_eq!(read.as_ref(), Ok(&options), "{}", url);
        let pool = PoolOptions::from_url(&url).expect("what a connection can have a pool can have");
        prop_assert_eq!(pool.connect_options(), &options);
    }

    #[test]
    fn a_damaged_url_shows_no_password(
        place in 0..60_usize,
        damage in prop_oneof!["\\PC{0,3}", "[/?#@:&%=\\[\\]]{1,2}", "[\0-\x1f]"],
        cut in 0..3_usize,
        parameter in "[a-z_-]{0,12}=[a-zA-Z0-9%]{0,6}",
    ) {
        let url = format!("mysql://app:{SECRET}@db.example:3306/shop?{parameter}");
        let secret = url.find(SECRET).expect("it is there");
        // The secret itself stays whole, so that it would be seen.
        let place = if place >= secret { place + SECRET.len() } else { place };
        let mut damaged = url[..place.min(url.len())].to_owned();
        damaged += &damage;
        let end = (place + cut).min(url.len());
        damaged += url.get(if place < secret { end.min(secret) } else { end }..).unwrap_or_default();
        for error in [
            ConnectOptions::from_url(&damaged).err(),
            PoolOptions::from_url(&damaged).err(),
        ].into_iter().flatten() {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains("secret"), "{} of {}", shown, damaged);
        }
        if let Ok(options) = ConnectOptions::from_url(&damaged) {
            let is_elsewhere = options.password.as_deref().is_none_or(|it| !it.contains(SECRET));
            prop_assert!(is_elsewhere || !format!("{options:?}").contains(SECRET), "{}", damaged);
        }
    }

    #[test]
    fn an_option_file_says_what_was_written(
        values in proptest::collection::vec(("[a-z]{1,8}", "[^\0\r\n\u{85}\u{2028}\u{2029}]{0,12}", 0..3_u8), 1..6),
        noise in "( |\t|#[a-z =]{0,8}|;[a-z\\[]{0,5})?",
    ) {
        let file = file("written");
        let mut text = format!("{noise}\n[other]\nuser=nobody\n[client]\n");
        for (key, value, quotes) in &values {
            let escaped = value
                .replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\'', "\\'")
                .replace('"', "\\\"");
            text += &match quotes {
                0 => format!("{key}=\"{escaped}\"\n"),
                1 => format!("  {key} = '{escaped}'  # a comment\n"),
                // Without quotes, what a comment or the trimming would take is escaped or left out.
                _ => format!("{key}={}\n{noise}\n", escaped.replace(' ', "\\s").replace('#', "")),
            };
        }
        fs::write(&file, &text).expect("a file");
        let group = my_cnf::read(&file, Some("mine"));
        fs::remove_file(&file).expect("it was there");
        let group = group.expect("a good file");
        for (key, _, _) in &values {
            let (_, value, quotes) = values.iter().rev().find(|(name, _, _)| name == key).expect("itself");
            let expected = match quotes {
                0 | 1 => value.clone(),
                _ => value.replace('#', ""),
            };
            // What is no blank to a person may be trimmed where there are no quotes.
            let read = group.get(key).flatten().expect("it has a value");
            match quotes {
                0 | 1 => prop_assert_eq!(read, &expected, "{}", text),
                _ => prop_assert_eq!(read.trim(), expected.trim(), "{}", text),
            }
        }
    }

    #[test]
    fn any_option_file_is_read_or_refused(text in "([\\PC\t\\[\\]=#;!'\"\\\\]{0,30}\n){0,6}") {
        let file = file("any");
        fs::write(&file, &text).expect("a file");
        let read = my_cnf::read(&file, None);
        fs::remove_file(&file).expect("it was there");
        if let Err(error) = read {
            prop_assert_eq!(error.field(), "read_default_file");
        }
    }
}
