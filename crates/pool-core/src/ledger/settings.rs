//! The settings as they are now, and what changes with them.

use std::time::Duration;

use super::gate::Gate;
use super::{Effects, Ledger, LedgerTypes, Note};
use crate::config::Config;

/// How long a step may take, by its kind.
pub(super) fn step_limits(config: &Config) -> [Option<Duration>; 4] {
    [
        config.connect_timeout,
        config.check_timeout,
        config.recycle_timeout,
        config.close_timeout,
    ]
}

impl<T: LedgerTypes> Ledger<T> {
    /// The settings as they are now.
    pub(crate) fn settings(&self) -> &Config {
        &self.settings
    }

    /// From now on these settings count. `ticks`: returns are timed by ticks, not by their instants.
    ///
    /// Each part takes over what it has copied. What follows for the connections is done at once.
    pub(crate) fn reconfigure(&mut self, config: Config, ticks: bool, effects: &mut Effects<T>) {
        let now = effects.now();
        self.step_limits = step_limits(&config);
        self.fill.reconfigured(&config, self.lifecycle.serves());
        self.governor.reconfigured(&config);
        Gate::reconfigured(&mut self.gate, &config.waiting);
        self.watch.reconfigured(&config, now);
        self.lifetimes.reconfigured(&config);
        self.look_at_idle(now);
        if !self.idle.is_timed() {
            // Nobody has noted when those came back that lie ready.
            self.take_answers_back(now);
        }
        if self.idle.reconfigured(&config, ticks, now) {
            self.lifecycle.stamp_all_returns();
        }
        let (from, to) = (self.settings.maxsize, config.maxsize);
        *self.settings = config;
        if from != to {
            self.history.note(|| Note::Resized(from, to));
            self.begin_to_shrink(effects);
        }
        self.update_returns();
        // Nor may those connects be needed that were missing for a larger minsize.
        self.undo_unbegun(effects);
        self.supply(effects);
        self.drive_undriven(effects);
        self.wake_upkeep(effects);
    }
}
