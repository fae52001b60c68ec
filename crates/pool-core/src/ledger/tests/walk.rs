//! One step of a random walk through the ledger.

use super::dice::Dice;
use super::world::World;
use super::*;
use crate::Verdict;

/// Something that a user or a task of the pool may do. One in `odds` of the connects, checks and recycles fails.
///
/// `verb` has the jobs of the verbs that are under way.
pub(super) fn random_step(world: &mut World, dice: &mut Dice, verb: &mut Vec<JobKey>, odds: usize) {
    match dice.roll(12) {
        0 | 1 => {
            world.acquire();
        }
        2..=4 if !world.waiting.is_empty() => {
            let ticket = world.waiting[dice.roll(world.waiting.len())];
            world.look(ticket, dice.roll(3) > 0, dice.roll(odds) > 0);
        }
        5 if !world.waiting.is_empty() => {
            let ticket = world.waiting[dice.roll(world.waiting.len())];
            world.leave(ticket);
        }
        6 | 7 => {
            let verdicts = [Verdict::Reuse, Verdict::Recycle, Verdict::Discard];
            world.release(verdicts[dice.roll(3)]);
        }
        8 if !world.tasks.is_empty() => {
            let at = dice.roll(world.tasks.len());
            world.run_task(at, dice.roll(2) > 0, dice.roll(odds) > 0);
        }
        9 => world.recycle_in_background(),
        10 => verb.extend(match dice.roll(2) {
            0 => world.fill_by_verb(),
            _ => world.change(|ledger, effects| ledger.clear(effects)),
        }),
        11 if !verb.is_empty() => {
            let key = verb.swap_remove(dice.roll(verb.len()));
            world.change(|ledger, effects| {
                ledger.caller_dropped(key, Poller::Owner, effects);
            });
        }
        _ => {}
    }
}
