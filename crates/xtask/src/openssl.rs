//! Makes sure that what the feature `native-tls` is built and tested with is there.

use crate::failure::Failure;
use crate::install;
use crate::server_program::{is_on_path, means, must_run, output_of};

/// OpenSSL's headers, what finds them, and the program that packs certificates.
const PACKAGES: [&str; 3] = ["libssl-dev", "pkg-config", "openssl"];

/// Finds OpenSSL, or installs it through apt, saying so before it does.
pub(crate) fn ensure() -> Result<(), Failure> {
    let has_headers = output_of(&["pkg-config", "--exists", "openssl"]).is_some();
    if has_headers && is_on_path("openssl") {
        return Ok(());
    }
    let plan = install::plan(means(), &PACKAGES).map_err(|why| {
        Failure::new(format!(
            "OpenSSL's headers, pkg-config or its program are missing ({})\n{why}",
            PACKAGES.join(", ")
        ))
    })?;
    println!("xtask: OpenSSL's headers were not found; installing them with these commands:");
    for words in &plan {
        println!("xtask:   {}", words.join(" "));
    }
    plan.iter().try_for_each(|words| must_run(words))
}
