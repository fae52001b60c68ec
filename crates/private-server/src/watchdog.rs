//! The shell that cleans up when the process that owns a server ends without doing so.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::ServerError;

/// Reads process numbers until its input ends, which is when the owner is gone; then kills the last one, if it still is
/// the server of this folder, and removes the folder. An empty line means that no server runs.
const SCRIPT: &str = r#"
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  if [ -d /proc/self ]; then words=$(tr '\0' ' ' < "/proc/$pid/cmdline"); else words=$(ps -ww -o args= -p "$pid"); fi
  case $words in *"--datadir=$1/data"*) kill -KILL "$pid" ;; esac
fi
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && break; sleep 0.1; done
"#;

/// A shell in a process group of its own, so that a Ctrl-C in the terminal does not end it together with the owner.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Starts watching over a folder.
    pub(crate) fn over(folder: &Path) -> Result<Self, ServerError> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "private-server-watchdog"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(ServerError::io("start sh"))?;
        Ok(Self { shell })
    }

    /// From now on this process is to be killed, or none.
    pub(crate) fn guard(&mut self, pid: Option<u32>) {
        let line = pid.map(|pid| pid.to_string()).unwrap_or_default() + "\n";
        if let Some(input) = &mut self.shell.stdin {
            // Fails only when somebody killed the shell; the server then does without its help.
            let _ = input.write_all(line.as_bytes());
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Killed first: `wait` closes the input, which would set the shell to work.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
