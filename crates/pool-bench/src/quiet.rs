//! How much of the machine other processes used while a measurement ran.

use std::fs;

/// If other processes use more than this share of the machine, a measurement on two threads is not valid.
pub(crate) const LIMIT: f64 = 0.12;

/// Measures the processor time of other processes from `begin` on. It works on Linux only.
pub(crate) struct Watch {
    pids: Vec<String>,
    start: Option<Ticks>,
}

#[derive(Clone, Copy)]
struct Ticks {
    all: u64,
    busy: u64,
    ours: u64,
}

impl Watch {
    /// Begins. This process and the given ones do not count as others.
    pub(crate) fn begin(others_of_ours: &[u32]) -> Self {
        let mut pids = vec!["self".to_owned()];
        pids.extend(others_of_ours.iter().map(u32::to_string));
        let start = Ticks::now(&pids);
        Self { pids, start }
    }

    /// The share of the machine that other processes used, from 0 to 1.
    pub(crate) fn others_share(&self) -> Option<f64> {
        let (start, end) = (self.start?, Ticks::now(&self.pids)?);
        let all = end.all.checked_sub(start.all).filter(|&all| all > 0)?;
        let busy = end.busy.saturating_sub(start.busy);
        let ours = end.ours.saturating_sub(start.ours);
        Some(busy.saturating_sub(ours) as f64 / all as f64)
    }
}

impl Ticks {
    fn now(pids: &[String]) -> Option<Self> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let (all, busy) = machine(text.lines().next()?)?;
        let mut ours = 0;
        for pid in pids {
            let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            ours += process(&text)?;
        }
        Some(Self { all, busy, ours })
    }
}

/// `cpu user nice system idle iowait irq softirq steal guest guest_nice`. Guests are counted in `user`, too.
fn machine(line: &str) -> Option<(u64, u64)> {
    let mut ticks = Vec::new();
    for word in line.strip_prefix("cpu ")?.split_whitespace().take(8) {
        ticks.push(word.parse::<u64>().ok()?);
    }
    let all = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((all, all - idle))
}

/// The 14th and 15th fields: time in the program and in the kernel. The name of the process may have blanks, so the fields are
/// counted from the end of the name.
fn process(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11);
    let user: u64 = words.next()?.parse().ok()?;
    let system: u64 = words.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_for_a_disk_are_not_busy() {
        assert_eq!(
            machine("cpu  10 2 3 100 20 1 1 3 5 0"),
            Some((140, 20)),
            "guests are counted once"
        );
        assert_eq!(machine("intr 1 2"), None);
    }

    #[test]
    fn a_process_may_have_a_name_with_blanks_and_parentheses() {
        let text = "7 (a) b) S 1 1 1 0 -1 4194304 100 0 0 0 25 17 0 0 20 0";
        assert_eq!(process(text), Some(42));
    }
}
