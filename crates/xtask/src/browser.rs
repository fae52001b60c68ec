//! Makes sure that Chromium is there, for the test of the dashboard.

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::install::{self, WhyNot};
use crate::server_program::{find_on_path, means, must_run};

/// Tells the test of the dashboard which browser to use, so that it cannot leave itself out. A person can name one, too.
pub(crate) const VARIABLE: &str = "DASHBOARD_BROWSER";

/// What a person gives to leave that test out.
const NONE: &str = "none";

/// Debian's package.
const PACKAGE: &str = "chromium";

/// The names of its program, and of Chrome's, which will do as well.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds Chromium, or installs it through apt, saying so before it does. Returns what the test is told in [`VARIABLE`].
pub(crate) fn ensure() -> Result<PathBuf, Failure> {
    if let Some(given) = env::var_os(VARIABLE).filter(|given| !given.is_empty()) {
        if given == NONE {
            println!(
                "xtask: the test of the dashboard is left out, because {VARIABLE} is `{NONE}`"
            );
        }
        return Ok(given.into());
    }
    if let Some(program) = find() {
        return Ok(program);
    }
    let plan = install::plan(means(), &[PACKAGE]).map_err(missing)?;
    print!("{}", install::announcement("no Chromium", PACKAGE, &plan));
    plan.iter().try_for_each(|words| must_run(words))?;
    find().ok_or_else(|| {
        Failure::new(format!(
            "{PACKAGE} was installed, and yet there is no {} in PATH; name it in {VARIABLE}",
            PROGRAMS.join(" or ")
        ))
    })
}

fn find() -> Option<PathBuf> {
    PROGRAMS.into_iter().find_map(find_on_path)
}

/// What a person reads where xtask cannot install it.
fn missing(why: WhyNot) -> Failure {
    Failure::new(format!(
        "no Chromium was found, which the test of the dashboard needs (package {PACKAGE} on Debian)\n\
         {why}\n\
         install it and try again; or name a browser in {VARIABLE}; or leave this one test out with \
         {VARIABLE}={NONE}, and all others run"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_without_root_reads_how_to_go_on() {
        let text = missing(WhyNot::NoRights).to_string();
        assert_eq!(
            text,
            "no Chromium was found, which the test of the dashboard needs (package chromium on Debian)\n\
             this user is not root, and sudo is missing or cannot ask for a password here\n\
             install it and try again; or name a browser in DASHBOARD_BROWSER; or leave this one test out with \
             DASHBOARD_BROWSER=none, and all others run"
        );
    }
}
