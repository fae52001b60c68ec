//! The queue as arithmetic.

use std::time::Duration;

use super::*;

fn waker() -> Waker {
    Waker::noop().clone()
}

fn push(queue: &mut Queue<u8, u8>) -> Ticket {
    push_at(queue, Priority::Normal, Instant::now())
}

fn push_at(queue: &mut Queue<u8, u8>, priority: Priority, now: Instant) -> Ticket {
    queue.push(waker(), None, priority, now)
}

fn order(queue: &Queue<u8, u8>) -> Vec<Ticket> {
    let mut order = Vec::new();
    let mut at = queue.lists[Lane::Normal as usize][List::Unassigned as usize].first;
    while let Some(slot) = at {
        order.push(queue.slots.ticket(slot));
        at = queue.slots[slot].next;
    }
    order
}

#[test]
fn waiters_are_in_order_of_arrival() {
    let mut queue = Queue::<u8, u8>::new();
    let [a, b, c] = [(); 3].map(|()| push(&mut queue));
    assert_eq!(order(&queue), [a, b, c]);
    queue.remove(b);
    assert_eq!(order(&queue), [a, c]);
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_requeued_waiter_gets_its_old_place() {
    let mut queue = Queue::<u8, u8>::new();
    let all: Vec<_> = (0..5).map(|_| push(&mut queue)).collect();
    for out in [0, 2, 4] {
        queue.unqueue(all[out]);
        queue.requeue(all[out]);
        assert_eq!(order(&queue), all);
    }
}

#[test]
fn a_waiter_that_drives_a_job_keeps_its_turn() {
    let mut queue = Queue::<u8, u8>::new();
    let [a, b, c] = [(); 3].map(|()| push(&mut queue));
    for (ticket, job) in [b, a].into_iter().zip(1..) {
        queue.set_job(ticket, Some(job));
    }
    assert_eq!((queue.head(), queue.first_unassigned()), (Some(a), Some(c)));
    let driving: Vec<_> = queue.driving().map(|(ticket, _)| ticket).collect();
    assert_eq!(driving, [a, b]);
    queue.set_job(b, None);
    assert_eq!(order(&queue), [b, c]);
    assert_eq!((queue.head(), queue.len()), (Some(a), 3));
    queue.remove(a);
    assert_eq!((queue.head(), queue.len()), (Some(b), 2));
}

#[test]
fn the_head_is_served_whether_it_drives_a_job_or_not() {
    let mut queue = Queue::<u8, u8>::new();
    let [a, b, c] = [(); 3].map(|()| push(&mut queue));
    let job = Some(1);
    queue.set_job(b, job);
    for (head, job) in [(a, None), (b, job), (c, None)] {
        assert_eq!(queue.head(), Some(head));
        assert_eq!(queue.answer(head, 7), job);
        assert_eq!(queue.remove(head).answer, Some(7));
    }
    assert_eq!((queue.len(), queue.tickets().len()), (0, 0));
}

#[test]
fn an_answer_waits_in_the_slot_and_not_in_the_queue() {
    let mut queue = Queue::<u8, u8>::new();
    let a = push(&mut queue);
    queue.answer(a, 7);
    assert_eq!(queue.head(), None);
    assert_eq!(queue.remove(a).answer, Some(7));
}

#[test]
fn a_lead_of_ten_seconds_is_what_a_priority_is_worth() {
    use Priority::{High, Low, Normal};
    let start = Instant::now();
    let after = |millis| start + Duration::from_millis(millis);
    let mut queue = Queue::<u8, u8>::new();
    let arrivals = [
        (Low, 0),
        (Normal, 0),
        (High, 9_990),
        (High, 10_010),
        (Normal, 9_990),
        (Normal, 10_010),
        (High, 20_010),
    ];
    let all = arrivals.map(|(priority, at)| push_at(&mut queue, priority, after(at)));
    for (turn, head) in [2, 1, 3, 4, 0, 5, 6].into_iter().enumerate() {
        assert_eq!(queue.head(), Some(all[head]), "turn {turn}");
        assert_eq!(queue.first_unassigned(), Some(all[head]));
        queue.remove(all[head]);
    }
    assert_eq!((queue.len(), queue.high_len()), (0, 0));
}

#[test]
fn in_a_lane_the_order_of_arrival_decides_whatever_the_clock_says() {
    let start = Instant::now();
    let mut queue = Queue::<u8, u8>::new();
    let later = push_at(&mut queue, Priority::High, start + Duration::from_secs(1));
    let earlier = push_at(&mut queue, Priority::High, start);
    assert_eq!(queue.head(), Some(later));
    queue.remove(later);
    assert_eq!(queue.head_of_high(), Some(earlier));
}

#[test]
fn those_that_drive_a_job_are_in_the_order_of_all_lanes() {
    use Priority::{High, Low, Normal};
    let now = Instant::now();
    let mut queue = Queue::<u8, u8>::new();
    let all = [Low, Normal, High, Normal].map(|priority| push_at(&mut queue, priority, now));
    for (ticket, job) in all.into_iter().zip(1..) {
        queue.set_job(ticket, Some(job));
    }
    let order: Vec<_> = queue.driving().map(|(_, job)| job).collect();
    assert_eq!(order, [3, 2, 4, 1]);
    assert_eq!((queue.unassigned_len(), queue.len()), (0, 4));
}

#[test]
fn the_wait_of_the_head_is_known_in_every_lane() {
    let start = Instant::now();
    let waited = Duration::from_millis(1500);
    for priority in [Priority::High, Priority::Normal, Priority::Low] {
        let mut queue = Queue::<u8, u8>::new();
        queue.use_ranks(start);
        assert_eq!(queue.head_waited(start), None);
        push_at(&mut queue, priority, start);
        let told = queue.head_waited(start + waited).expect("one waits");
        assert!(
            told <= waited && told + Duration::from_millis(3) > waited,
            "{told:?}"
        );
    }
}
