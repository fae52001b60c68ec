//! Gets Chromium for the test of the dashboard where that is possible; elsewhere the test leaves itself out.

use crate::install;
use crate::server_program::{is_on_path, means, must_run};

/// Debian's package, and its program.
const PACKAGE: &str = "chromium";

/// Finds Chromium, or installs it through apt, saying so before it does. Without it everything else is tested.
pub(crate) fn try_to_have() {
    if is_on_path(PACKAGE) || is_on_path("chromium-browser") {
        return;
    }
    let plan = match install::plan(means(), &[PACKAGE]) {
        Ok(plan) => plan,
        Err(why) => {
            println!(
                "xtask: no Chromium was found; the test of the dashboard is left out\nxtask: {why}"
            );
            return;
        }
    };
    print!("{}", install::announcement("no Chromium", PACKAGE, &plan));
    let installed = plan.iter().try_for_each(|words| must_run(words));
    if let Err(why) = installed {
        println!("xtask: the test of the dashboard is left out: {why}");
    }
}
