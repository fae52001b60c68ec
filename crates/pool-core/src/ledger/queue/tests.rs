//! The queue as arithmetic.

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
