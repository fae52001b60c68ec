//! The fast cases do what the general ones do.

use super::world::{Dice, World};
use crate::Verdict;

#[test]
fn the_fast_cases_do_what_the_general_ones_do() {
    for seed in 1..=400_u64 {
        let mut dice = Dice::new(seed);
        let maxsize = 1 + dice.roll(4);
        let minsize = dice.roll(maxsize + 1);
        let mut worlds = [(); 2].map(|()| World::new(minsize, maxsize));
        worlds[1].now = worlds[0].now;
        worlds[1].tries_fast = false;
        for step in 0..200 {
            let (action, which, end) = (dice.roll(8), dice.roll(1000), dice.roll(3) > 0);
            let well = dice.roll(4) > 0;
            let verdicts = [
                Verdict::Reuse,
                Verdict::Reuse,
                Verdict::Recycle,
                Verdict::Discard,
            ];
            let verdict = verdicts[dice.roll(4)];
            let pause = dice.millis(400);
            for world in &mut worlds {
                match action {
                    0..=2 => world.acquire_fast(),
                    3 | 4 => world.release(verdict),
                    5 if !world.waiting.is_empty() => {
                        let ticket = world.waiting[which % world.waiting.len()];
                        world.look(ticket, end, well);
                    }
                    6 if !world.tasks.is_empty() => {
                        world.run_task(which % world.tasks.len(), end, well);
                    }
                    7 if !world.waiting.is_empty() => {
                        world.leave(world.waiting[which % world.waiting.len()]);
                    }
                    _ => world.recycle_in_background(),
                }
                world.now += pause;
            }
            let [fast, general] = &worlds;
            assert_eq!(
                (fast.ledger.status(), &fast.guards, fast.tasks.len()),
                (
                    general.ledger.status(),
                    &general.guards,
                    general.tasks.len()
                ),
                "seed {seed} step {step}"
            );
            assert_eq!(fast.waiting.len(), general.waiting.len());
        }
    }
}
