//! How long each connection lives: from when on it is to be replaced, and from when on nobody gets it any more.
//!
//! A connection with `max_lifetime` has two instants, fixed when it was opened. From the first one, which its jitter makes
//! earlier, it is *due*: its replacement may be opened, and as soon as that stands, it goes. From the second one it is
//! *spent*: nobody gets it any more. What each of these leads to is in `ledger/retire`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::chance::share_of;
use super::life::Life;
pub(super) use super::life::Why;
pub(super) use super::marks::Fitness;
use super::{Chance, ConnectionKey, Marks};
use crate::CloseReason;
use crate::config::Config;

/// A connection that goes sooner than this after it was opened is not replaced at once where nobody waits: a limit that is
/// shorter than a connect would otherwise keep the pool connecting without a pause.
const SHORTEST_LIFE: Duration = Duration::from_millis(100);

pub(super) struct Lifetimes {
    max_lifetime: Option<Duration>,
    jitter: Duration,
    max_uses: Option<u64>,
    /// By slot, as the connections.
    lives: Vec<Option<Life>>,
    schedule: BTreeSet<(Instant, ConnectionKey)>,
    /// The first instant of the schedule, which each change of the pool looks at.
    next: Option<Instant>,
    /// Those that are due or spent, and still stay.
    due: BTreeSet<ConnectionKey>,
    /// How many of these are due by their age or by `recycle_all`, so that those in use are replaced one for one.
    aged: usize,
    /// How many are suspect whose entry does not know it.
    suspects: usize,
    /// The pool's timer can strike for the schedule.
    has_timer: bool,
    chance: Chance,
    /// Nothing is opened before this instant that nobody waits for.
    pause_until: Option<Instant>,
}

impl Lifetimes {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            max_lifetime: config.lifetimes.max_lifetime,
            jitter: config.lifetimes.jitter(),
            max_uses: config.lifetimes.max_uses,
            lives: Vec::new(),
            schedule: BTreeSet::new(),
            next: None,
            due: BTreeSet::new(),
            aged: 0,
            suspects: 0,
            has_timer: false,
            chance: Chance::repeatable(),
            pause_until: None,
        }
    }

    /// Draws the jitter from another source.
    pub(super) fn set_chance(&mut self, chance: Chance) {
        self.chance = chance;
    }

    /// The pool's timer can strike for the schedule.
    pub(super) fn use_timer(&mut self) {
        self.has_timer = true;
    }

    /// How many connections are due or spent. Those that are on their way out do not count.
    pub(super) fn due(&self) -> usize {
        self.due.len()
    }

    /// How many of these are due by their age or by `recycle_all`.
    pub(super) fn aged(&self) -> usize {
        self.aged
    }

    /// These connections, the oldest first.
    pub(super) fn all_due(&self) -> Vec<ConnectionKey> {
        self.due.iter().copied().collect()
    }

    /// Whether this is one of them.
    pub(super) fn is_due(&self, key: ConnectionKey) -> bool {
        self.due.contains(&key)
    }

    /// Whether each connection that comes back has to be looked at.
    pub(super) fn looks_at_returns(&self) -> bool {
        self.max_uses.is_some() || !self.due.is_empty() || self.suspects > 0
    }

    /// When the next connection becomes due or is spent.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// As [`next`](Self::next), if the pool's timer is to strike then.
    pub(super) fn next_strike(&self) -> Option<Instant> {
        self.next().filter(|_| self.has_timer)
    }

    fn life(&self, key: ConnectionKey) -> Option<&Life> {
        let life = self.lives.get(key.slot as usize)?.as_ref();
        life.filter(|life| life.key == key)
    }

    fn life_mut(&mut self, key: ConnectionKey) -> Option<&mut Life> {
        let life = self.lives.get_mut(key.slot as usize)?.as_mut();
        life.filter(|life| life.key == key)
    }

    pub(super) fn fitness(&self, key: ConnectionKey) -> Fitness {
        self.life(key).map_or(Fitness::Fit, |life| life.fitness)
    }

    fn is_suspect(&self, key: ConnectionKey) -> bool {
        self.life(key).is_some_and(|life| life.is_suspect)
    }

    /// Whether it does not wait for a replacement.
    pub(super) fn goes_at_once(&self, key: ConnectionKey) -> bool {
        self.life(key).is_some_and(|life| life.why == Why::Cleared)
    }

    /// Why a connection that is due or spent is closed.
    pub(super) fn reason(&self, key: ConnectionKey) -> CloseReason {
        let why = self.life(key).map_or(Why::Lifetime, |life| life.why);
        why.reason()
    }

    /// Whether those it was opened for can have it: a `max_lifetime` that is shorter than a connect must not let them wait
    /// for ever.
    pub(super) fn is_good_for_one(&self, key: ConnectionKey, now: Instant) -> bool {
        self.life(key).is_some_and(|life| {
            let is_replaced = life.replaced.is_some_and(|(_, end)| end <= now);
            life.fitness != Fitness::Spent || (life.why == Why::Lifetime && !is_replaced)
        })
    }

    /// A connect begins.
    pub(super) fn conceived(&mut self, key: ConnectionKey) {
        let slot = key.slot as usize;
        if self.lives.len() <= slot {
            self.lives.resize_with(slot + 1, || None);
        }
        self.lives[slot] = Some(Life::new(key, self.chance.share()));
    }

    /// A connection was opened at this instant, or comes from outside.
    pub(super) fn born(&mut self, key: ConnectionKey, at: Instant) {
        if self.life(key).is_none() {
            self.conceived(key);
        }
        if let Some(life) = self.life_mut(key) {
            life.born = Some(at);
        }
        self.plan(key);
    }

    /// Sets the two instants of a connection, by the settings and by what `recycle_all` has said.
    fn plan(&mut self, key: ConnectionKey) {
        let (longest, jitter) = (self.max_lifetime, self.jitter);
        let Some(life) = self.life_mut(key) else {
            return;
        };
        let lives_on = life.born.zip(longest);
        let end = lives_on.and_then(|(born, longest)| born.checked_add(longest));
        let earlier = share_of(jitter, life.share);
        let due = end.map(|end| end.checked_sub(earlier).unwrap_or(end));
        let (replaced, last) = life.replaced.unzip();
        life.end = end.into_iter().chain(last).min();
        let next = match life.fitness {
            Fitness::Fit => due.into_iter().chain(replaced).min(),
            Fitness::Due => life.end,
            Fitness::Spent => None,
        };
        if life.fitness == Fitness::Fit {
            life.why = match next == replaced && next.is_some() {
                true => Why::Replaced,
                false => Why::Lifetime,
            };
        }
        self.set_next(key, next);
    }

    fn set_next(&mut self, key: ConnectionKey, next: Option<Instant>) {
        let Some(life) = self.life_mut(key) else {
            return;
        };
        if let Some(at) = std::mem::replace(&mut life.next, next) {
            self.schedule.remove(&(at, key));
        }
        if let Some(at) = next {
            self.schedule.insert((at, key));
        }
        self.next = self.schedule.first().map(|(at, _)| *at);
    }

    /// A connection is on its way out, or has gone.
    pub(super) fn left(&mut self, key: ConnectionKey) {
        if self.life(key).is_none() {
            return;
        }
        self.set_next(key, None);
        self.trusted(key);
        if let Some(life) = self.lives[key.slot as usize].take() {
            self.due.remove(&key);
            self.aged -= usize::from(life.is_aged);
        }
    }

    /// Takes those out of the schedule whose time has come. `true`: some of them are spent now.
    pub(super) fn strike(&mut self, now: Instant) -> bool {
        let mut any_spent = false;
        while let Some((at, key)) = self.schedule.first().copied().filter(|(at, _)| *at <= now) {
            self.note_end(key, now);
            let end = self.life(key).and_then(|life| life.end);
            match end.filter(|end| *end > at) {
                Some(end) => {
                    self.set_fitness(key, Fitness::Due);
                    self.set_next(key, Some(end));
                }
                None => {
                    any_spent = true;
                    self.set_fitness(key, Fitness::Spent);
                    self.set_next(key, None);
                }
            }
        }
        any_spent
    }

    /// A connection has come to its end because of a setting. If it lived for a short time only, there is a pause.
    pub(super) fn note_end(&mut self, key: ConnectionKey, now: Instant) {
        let life = self.life(key).filter(|life| life.why == Why::Lifetime);
        let born = life.and_then(|life| life.born);
        let pause = born.and_then(|born| born.checked_add(SHORTEST_LIFE));
        self.pause_until = pause.filter(|at| *at > now).or(self.pause_until);
    }

    /// Until when nothing is opened that nobody waits for.
    pub(super) fn pause_until(&self) -> Option<Instant> {
        self.pause_until
    }

    /// The pool closes: nothing is replaced any more.
    pub(super) fn stop(&mut self) {
        self.schedule.clear();
        self.next = None;
        self.due.clear();
        self.lives.clear();
        (self.aged, self.suspects) = (0, 0);
        (self.max_lifetime, self.has_timer) = (None, false);
    }

    fn set_fitness(&mut self, key: ConnectionKey, fitness: Fitness) {
        if let Some(life) = self.life_mut(key) {
            life.fitness = fitness;
            let is_aged = matches!(life.why, Why::Lifetime | Why::Replaced);
            let was_aged = std::mem::replace(&mut life.is_aged, is_aged);
            self.due.insert(key);
            self.aged += usize::from(is_aged);
            self.aged -= usize::from(was_aged);
        }
    }

    /// Nobody gets this connection any more.
    pub(super) fn spend(&mut self, key: ConnectionKey, why: Why) {
        if let Some(life) = self.life_mut(key) {
            life.why = why;
            self.set_fitness(key, Fitness::Spent);
            self.set_next(key, None);
        }
    }

    /// Notes in a connection that nobody holds whether it is spent or suspect.
    pub(super) fn mark(&mut self, key: ConnectionKey, marks: &mut Marks) {
        marks.is_spent = self.fitness(key) == Fitness::Spent;
        // From now on its entry knows it.
        marks.is_suspect |= self.is_suspect(key);
        self.trusted(key);
    }

    /// A connection comes back that was handed out so often. If that was often enough, it is spent.
    pub(super) fn used(&mut self, key: ConnectionKey, uses: u64) {
        let is_worn = self.max_uses.is_some_and(|most| uses >= most);
        if is_worn && self.fitness(key) != Fitness::Spent {
            self.spend(key, Why::Uses);
        }
    }

    /// The connections that are there or being opened, in the order in which that began.
    pub(super) fn all(&self) -> Vec<ConnectionKey> {
        let lives = self.lives.iter().flatten();
        let mut keys: Vec<ConnectionKey> = lives.map(|life| life.key).collect();
        keys.sort_unstable_by_key(|key| key.id);
        keys
    }

    /// All connections are to be replaced, one after the other, the oldest first, and all within this time.
    pub(super) fn replace_within(&mut self, within: Duration, now: Instant) {
        let keys = self.all();
        let number = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        for (index, key) in (0..).zip(keys) {
            let pause = (within / number).saturating_mul(index);
            let Some((at, end)) = now.checked_add(pause).zip(now.checked_add(within)) else {
                return;
            };
            if let Some(life) = self.life_mut(key) {
                let (earlier, sooner) = life.replaced.unwrap_or((at, end));
                life.replaced = Some((at.min(earlier), end.min(sooner)));
                self.plan(key);
            }
        }
    }

    /// One was lost: the others that are open are not to be trusted before they are checked.
    pub(super) fn suspect_all(&mut self) {
        let lives = self.lives.iter_mut().flatten();
        for life in lives.filter(|life| life.born.is_some()) {
            self.suspects += usize::from(!std::mem::replace(&mut life.is_suspect, true));
        }
    }

    /// No connection is suspect any more.
    pub(super) fn trust_all(&mut self) {
        for life in self.lives.iter_mut().flatten() {
            life.is_suspect = false;
        }
        self.suspects = 0;
    }

    /// A connection was checked, or its entry knows that it has to be, or it is gone.
    pub(super) fn trusted(&mut self, key: ConnectionKey) {
        if let Some(life) = self.life_mut(key) {
            let was_suspect = std::mem::take(&mut life.is_suspect);
            self.suspects -= usize::from(was_suspect);
        }
    }

    /// The settings have changed.
    pub(super) fn reconfigured(&mut self, config: &Config) {
        let settings = &config.lifetimes;
        let before = (self.max_lifetime, self.jitter, self.max_uses);
        self.max_uses = settings.max_uses;
        if before == (settings.max_lifetime, settings.jitter(), settings.max_uses) {
            return;
        }
        self.renew();
        (self.max_lifetime, self.jitter) = (settings.max_lifetime, settings.jitter());
        for key in self.all() {
            self.plan(key);
        }
    }

    /// What was to be replaced because of a setting is so only if the new settings say so.
    fn renew(&mut self) {
        let lives = self.lives.iter_mut().flatten();
        for life in lives.filter(|life| matches!(life.why, Why::Lifetime | Why::Uses)) {
            (life.fitness, life.why) = (Fitness::Fit, Why::Lifetime);
            self.due.remove(&life.key);
            self.aged -= usize::from(std::mem::take(&mut life.is_aged));
        }
    }
}
