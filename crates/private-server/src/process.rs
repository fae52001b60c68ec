//! One running server process, held by its handle.

use std::fs;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a process is looked at while waiting for it.
const LOOK: Duration = Duration::from_millis(2);

/// A server process; dropping it kills it and waits for its end.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(|child| Self { child })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        // Asking fails only for a child that is not ours, which cannot be.
        self.child.try_wait().expect("our own child can be asked")
    }

    /// Asks the server to end in good order and waits; kills it when that takes longer than `bound`.
    pub(crate) fn stop(mut self, bound: Duration) {
        self.signal("TERM");
        // A paused server would not hear of it.
        self.signal("CONT");
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < bound {
            thread::sleep(LOOK);
        }
    }

    /// Stops the process where it is and waits until its last thread stands still.
    pub(crate) fn pause(&mut self) {
        self.signal("STOP");
        let start = Instant::now();
        while !self.stands_still() && start.elapsed() < Duration::from_secs(1) {
            thread::sleep(LOOK);
        }
    }

    /// Lets a paused process go on.
    pub(crate) fn resume(&mut self) {
        self.signal("CONT");
    }

    /// Sends a signal by name. The process is not waited for yet, so its number cannot be somebody else's.
    fn signal(&self, name: &str) {
        // The shell's own `kill`: a program of that name is missing from small images, and std has no call for it.
        let status = Command::new("sh")
            .args([
                "-c",
                "kill -s \"$1\" \"$2\"",
                "sh",
                name,
                &self.pid().to_string(),
            ])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("sh was there when the server was started");
        assert!(
            status.success(),
            "SIG{name} could not be sent to our own server"
        );
    }

    /// Are all threads stopped? Where the system does not tell (no /proc): yes.
    fn stands_still(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid())) else {
            return true;
        };
        threads.flatten().all(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // The state follows the program's name, which stands in parentheses and may hold anything.
            stat.rsplit_once(") ")
                .is_none_or(|(_, rest)| rest.starts_with('T'))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
