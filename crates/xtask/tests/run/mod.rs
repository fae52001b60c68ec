//! xtask as one runs it, with a stand-in for cargo that only reports.

use std::process::{Command, Output};

/// Runs xtask from another folder, as far away from the checkout as it gets.
pub(crate) fn xtask(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .env_remove("MYSQL_URL")
        .env_remove("FAIL_ON")
        .env_remove("DASHBOARD_BROWSER")
        .env(
            "CARGO",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_cargo.sh"),
        )
        .envs(environment.iter().copied())
        .current_dir("/")
        .output()
        .expect("xtask runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the stand-in for cargo was asked for, in order.
pub(crate) fn asked(output: &Output) -> Vec<String> {
    text(&output.stdout)
        .lines()
        .filter_map(|line| line.strip_prefix("asked for: ").map(str::to_owned))
        .collect()
}
