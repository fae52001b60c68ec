//! Looks at the server's sessions while the round goes on.
//!
//! Counted is what the pool holds open: a session of the pool's user whose connection neither side has begun to close. The
//! proxy knows that; the server may not have noticed yet that its client has gone. Not counted are:
//!
//! - sessions of connections that a fault has cut, since the pool may have replaced them;
//! - sessions of slow links, whose bytes a fault delays or holds back, because the proxy does not hear of their end in
//!   time.
//!
//! There may be `maxsize` of them: that of a pool which was made smaller as soon as it has shrunk. It is judged by two looks: a
//! session counts when both see it, so that a close which is on its way is not taken for one session too many.
//!
//! The side connection that sends KILL for `terminate` is counted apart. It has no database, and the connections of the
//! pool have one. There may be one side connection at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pool_chaos::proxy::{Link, Proxy};
use pool_mysql::{Connection, Error};

use crate::bank::{self, Session};
use crate::tally::Tally;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(150);

/// The sessions that one look counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    of_pool: BTreeSet<u64>,
    side: BTreeSet<u64>,
    /// How many sessions the pool might have at some time during the look.
    most: usize,
}

/// How many sessions two looks in succession have both seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeenTwice {
    of_pool: usize,
    side: usize,
    most: usize,
}

impl Look {
    /// The sessions whose connection comes from one of these ports.
    fn new(sessions: &[Session], ports: &BTreeSet<u16>, most: usize) -> Self {
        let mut look = Self {
            most,
            ..Self::default()
        };
        for session in sessions {
            if ports.contains(&session.port) {
                let of_its_kind = match session.has_database {
                    true => &mut look.of_pool,
                    false => &mut look.side,
                };
                of_its_kind.insert(session.id);
            }
        }
        look
    }

    fn seen_twice(&self, before: &Self) -> SeenTwice {
        SeenTwice {
            of_pool: self.of_pool.intersection(&before.of_pool).count(),
            side: self.side.intersection(&before.side).count(),
            most: self.most.max(before.most),
        }
    }
}

impl SeenTwice {
    fn violation(self) -> Option<String> {
        let Self {
            of_pool,
            side,
            most,
        } = self;
        if of_pool > most {
            return Some(format!(
                "the pool has {of_pool} sessions, and maxsize is {most}"
            ));
        }
        (side > 1).then(|| format!("there are {side} side connections at once"))
    }
}

/// The ports of the connections whose end the proxy hears of in time.
fn ports_that_count(links: impl Iterator<Item = (u16, bool)>) -> BTreeSet<u16> {
    let of_prompt = |(port, is_slow): (u16, bool)| (!is_slow).then_some(port);
    links.filter_map(of_prompt).collect()
}

/// Looks until the round is over. The server may be down at times.
pub(crate) async fn run(port: u16, proxy: Arc<Proxy>, tally: Arc<Tally>) {
    let mut before = Look::default();
    let mut admin = None;
    while !tally.is_over() {
        tokio::time::sleep(PAUSE).await;
        let look = look(&mut admin, port, &proxy, &tally);
        let Ok(Ok(now)) = tokio::time::timeout(Duration::from_secs(2), look).await else {
            admin = None;
            continue;
        };
        let seen_twice = now.seen_twice(&before);
        tally.note(|sum| {
            let most = &mut sum.sessions;
            most.looks += 1;
            most.in_one_look = most.in_one_look.max(now.of_pool.len());
            most.in_two_looks = most.in_two_looks.max(seen_twice.of_pool);
            most.side = most.side.max(now.side.len());
        });
        if let Some(what) = seen_twice.violation() {
            tally.violation(what);
        }
        before = now;
    }
}

async fn look(
    admin: &mut Option<Connection>,
    port: u16,
    proxy: &Proxy,
    tally: &Tally,
) -> Result<Look, Error> {
    let most_before = tally.most_sessions.load(Ordering::SeqCst);
    let conn = match admin {
        Some(conn) => conn,
        None => admin.insert(bank::admin(port).await?),
    };
    let sessions = bank::sessions(conn).await?;
    let links = proxy.links();
    let seen = |link: &Link| (link.server_side_port(), link.is_slow());
    let ports = ports_that_count(links.iter().map(seen));
    let most = tally.most_sessions.load(Ordering::SeqCst);
    Ok(Look::new(&sessions, &ports, most.max(most_before)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool_place::MAXSIZE;

    /// So many sessions of the pool, from the first id on, and so many side connections. Each has its id as its port.
    fn sessions(first: u16, of_pool: u16, side: u16) -> Vec<Session> {
        let session = |number| Session {
            id: u64::from(first + number),
            port: first + number,
            has_database: number < of_pool,
        };
        (0..of_pool + side).map(session).collect()
    }

    fn look(sessions: &[Session]) -> Look {
        look_at_most(MAXSIZE, sessions)
    }

    fn look_at_most(most: usize, sessions: &[Session]) -> Look {
        let links = sessions.iter().map(|session| (session.port, false));
        Look::new(sessions, &ports_that_count(links), most)
    }

    #[test]
    fn one_session_more_than_maxsize_in_two_looks_is_a_violation() {
        let maxsize = u16::try_from(MAXSIZE).expect("a small number");
        let full = look(&sessions(1, maxsize, 0));
        assert_eq!(full.seen_twice(&full).violation(), None);
        let one_more = look(&sessions(1, maxsize + 1, 0));
        let words = "the pool has 6 sessions, and maxsize is 5";
        let judged = one_more.seen_twice(&one_more).violation();
        assert_eq!(judged.as_deref(), Some(words));
        assert_eq!(
            one_more.seen_twice(&full).violation(),
            None,
            "one look is not enough"
        );
    }

    #[test]
    fn a_pool_that_has_shrunk_may_have_as_many_sessions_as_its_maxsize_of_both_looks() {
        let three = sessions(1, 3, 0);
        let [small, large] = [2, MAXSIZE].map(|most| look_at_most(most, &three));
        let words = "the pool has 3 sessions, and maxsize is 2";
        let judged = small.seen_twice(&small).violation();
        assert_eq!(judged.as_deref(), Some(words));
        assert_eq!(small.seen_twice(&large).violation(), None);
        assert_eq!(large.seen_twice(&small).violation(), None);
    }

    #[test]
    fn sessions_that_are_replaced_between_two_looks_do_not_add_up() {
        let [before, now] = [sessions(1, 5, 0), sessions(6, 5, 0)].map(|it| look(&it));
        let none = SeenTwice {
            of_pool: 0,
            side: 0,
            most: MAXSIZE,
        };
        assert_eq!(now.seen_twice(&before), none);
    }

    #[test]
    fn the_side_connection_takes_no_place_of_the_pool_and_is_alone() {
        let one = look(&sessions(1, 5, 1));
        assert_eq!((one.of_pool.len(), one.side.len()), (5, 1));
        assert_eq!(one.seen_twice(&one).violation(), None);
        let two = look(&sessions(1, 3, 2));
        let judged = two.seen_twice(&two).violation();
        assert_eq!(
            judged.as_deref(),
            Some("there are 2 side connections at once")
        );
    }

    #[test]
    fn sessions_of_slow_or_closed_links_are_not_counted() {
        let ports = ports_that_count([(1, false), (2, true)].into_iter());
        let look = Look::new(&sessions(1, 3, 0), &ports, MAXSIZE);
        assert_eq!(look.of_pool, BTreeSet::from([1]));
    }
}
