//! The progress bar, and the exit of a run that hangs. Without a terminal, one line for each workload is written.

use std::io::IsTerminal;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The program exits if a turn takes longer. A poll that never returns cannot be ended in another way.
const TURN_LIMIT: Duration = Duration::from_secs(120);

/// Shows how much of the run is done.
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// The present turn, and when it began.
    turn: Arc<Mutex<Turn>>,
}

struct Turn {
    whose: String,
    since: Instant,
    over: bool,
}

impl Progress {
    pub(crate) fn new(turns: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = match terminal {
            true => ProgressBar::new(turns as u64),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template(
            "[{elapsed_precise}] {bar:40} {percent:>3} %, {eta} left  {msg}",
        );
        bar.set_style(style.expect("a good template"));
        let turn = Arc::new(Mutex::new(Turn {
            whose: String::new(),
            since: Instant::now(),
            over: false,
        }));
        let watched = Arc::clone(&turn);
        thread::spawn(move || exit_if_a_turn_hangs(&watched));
        Self {
            bar,
            terminal,
            turn,
        }
    }

    /// Says that a workload begins.
    pub(crate) fn workload(&self, title: &str) {
        if !self.terminal {
            eprintln!("pool-bench: {title}");
        }
    }

    /// Says that the turn of a contender begins.
    pub(crate) fn turn(&self, workload: &str, contender: &str) {
        let whose = format!("{workload}: {contender}");
        self.bar.set_message(whose.clone());
        self.bar.inc(1);
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Turn {
            whose,
            since: Instant::now(),
            over: false,
        };
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
        self.turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .over = true;
    }
}

fn exit_if_a_turn_hangs(turn: &Mutex<Turn>) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.over {
            return;
        }
        if turn.since.elapsed() > TURN_LIMIT {
            let limit = TURN_LIMIT.as_secs();
            eprintln!("pool-bench: {} has not ended after {limit} s", turn.whose);
            process::exit(1);
        }
    }
}
