//! The tests' own tools bite: what they are to catch, they catch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pool_core::{Manager, Verdict};
use support::probe::poll_with;
use support::{
    CountingWaker, FakeConnection, FakeManager, Gate, Moment, Probe, Stage, Step, Verb, poll_once,
    within, yield_now,
};

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a message")).to_owned(),
    }
}

fn panics(body: impl FnOnce()) -> String {
    message(catch_unwind(AssertUnwindSafe(body)).expect_err("it ought to panic"))
}

fn connect(manager: &FakeManager) -> FakeConnection {
    match poll_once(&mut Box::pin(manager.connect())) {
        Poll::Ready(Ok(conn)) => conn,
        _ => panic!("a fake connect succeeds at once"),
    }
}

#[test]
fn a_second_connection_under_maxsize_one_is_a_violation() {
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    let one = connect(&manager);
    control.assert_no_violation();
    let two = connect(&manager);
    assert!(panics(|| control.assert_no_violation()).contains("exceed maxsize"));
    drop((one, two));
}

#[test]
fn a_connect_in_flight_counts_towards_the_bound() {
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    control.always(Verb::Connect, Step::Pend);
    let mut first = Box::pin(manager.connect());
    assert!(poll_once(&mut first).is_pending());
    assert_eq!((control.in_connect(), control.live()), (1, 0));
    let second = manager.connect();
    assert!(panics(|| control.assert_no_violation()).contains("exceed maxsize"));
    drop((first, second));
    assert_eq!((control.in_connect(), control.live()), (0, 0));
}

#[test]
fn a_violation_that_nobody_asks_for_panics_when_the_control_goes() {
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    let both = (connect(&manager), connect(&manager));
    assert!(panics(|| drop(control)).contains("exceed maxsize"));
    drop(both);
}

#[test]
fn the_counters_follow_a_connection_through_its_life() {
    let manager = FakeManager::new();
    let control = manager.control();
    let mut conn = connect(&manager);
    assert!(poll_once(&mut Box::pin(manager.check(&mut conn))).is_ready());
    conn.begin();
    conn.scribble("mine");
    assert!(poll_once(&mut Box::pin(manager.recycle(&mut conn))).is_ready());
    assert!(!conn.in_transaction() && conn.scribbles().is_empty());
    assert_eq!(manager.on_release(&mut conn), Verdict::Recycle);
    conn.close();
    assert_eq!(manager.on_release(&mut conn), Verdict::Discard);
    assert!(matches!(
        poll_once(&mut Box::pin(manager.check(&mut conn))),
        Poll::Ready(Err(_))
    ));
    assert!(poll_once(&mut Box::pin(manager.close(conn))).is_ready());
    assert_eq!(
        (control.made(), control.closed(), control.live()),
        (1, 1, 0)
    );
    let verbs: Vec<Verb> = control.log().into_iter().map(|(verb, _)| verb).collect();
    assert_eq!(
        verbs,
        [
            Verb::Connect,
            Verb::Check,
            Verb::Recycle,
            Verb::OnRelease,
            Verb::OnRelease,
            Verb::Check,
            Verb::Close,
            Verb::Drop
        ]
    );
}

#[test]
fn steps_run_in_their_order_and_a_delay_follows_the_virtual_clock() {
    let stage = Stage::spawning();
    let (manager, control) = stage.fake(0);
    let gate = Gate::new();
    let second = Duration::from_secs(1);
    control.next(
        Verb::Connect,
        Step::gate(&gate).then(Step::Delay(second)).then(Step::Err),
    );
    let mut connect = Probe::new(manager.connect());
    assert!(!connect.poll_until_stalled(&stage));
    stage.advance(second);
    assert!(!connect.poll_until_stalled(&stage), "the gate is closed");
    gate.open();
    assert!(
        !connect.poll_until_stalled(&stage),
        "the delay has begun just now"
    );
    stage.advance(second);
    assert!(connect.poll_until_stalled(&stage));
    assert!(connect.take().is_err());
    assert_eq!(control.in_connect(), 0);
    assert!(
        poll_once(&mut Box::pin(manager.connect())).is_ready(),
        "the queue is used up"
    );
}

#[test]
fn scripted_panics_come_in_the_call_or_in_the_poll() {
    let manager = FakeManager::new();
    let control = manager.control();
    control.next(Verb::Connect, Step::PanicInCall);
    control.next(Verb::Connect, Step::Panic);
    assert!(panics(|| drop(manager.connect())).contains("call of Connect"));
    let mut connect = Box::pin(manager.connect());
    assert!(panics(|| drop(poll_once(&mut connect))).contains("Connect panics"));
    drop(connect);
    assert_eq!((control.connects(), control.in_connect()), (2, 0));
}

#[test]
fn a_gate_wakes_all_who_wait_and_forgets_those_who_left() {
    let gate = Gate::new();
    let waker = CountingWaker::new();
    let mut stays = gate.wait();
    let mut leaves = gate.wait();
    assert!(poll_with(&mut stays, &waker.waker()).is_pending());
    assert!(poll_with(&mut leaves, &waker.waker()).is_pending());
    assert_eq!(gate.waiting(), 2);
    drop(leaves);
    assert_eq!(gate.waiting(), 1);
    gate.open();
    assert_eq!(waker.wakes(), 1);
    assert!(poll_once(&mut stays).is_ready());
    gate.close();
    assert!(poll_once(&mut gate.wait()).is_pending());
}

#[test]
fn a_future_is_dropped_exactly_where_it_was_to_be_dropped() {
    let stage = Stage::spawning();
    let places = |number: usize, moment: Moment| {
        let (first, second) = (Gate::new(), Gate::new());
        let mut gates = vec![second.clone(), first.clone()];
        let mut probe = Probe::new(async move {
            first.wait().await;
            second.wait().await;
        });
        let reached = probe.cancel_at(&stage, number, moment, &mut || match gates.pop() {
            Some(gate) => {
                gate.open();
                true
            }
            None => false,
        });
        (reached, probe.polls(), gates.len())
    };
    assert_eq!(places(0, Moment::AtOnce), (true, 0, 2));
    assert_eq!(places(1, Moment::AtOnce), (true, 1, 2));
    assert_eq!(places(1, Moment::BeforeWake), (true, 1, 2));
    assert_eq!(places(1, Moment::AfterWake), (true, 1, 1));
    assert_eq!(places(2, Moment::BeforeWake), (true, 2, 1));
    assert_eq!(places(2, Moment::AfterWake), (true, 2, 0));
    assert_eq!(places(2, Moment::Ready), (true, 3, 0));
    assert!(
        !places(1, Moment::Ready).0,
        "it is not ready after one pending poll"
    );
    assert!(!places(3, Moment::AtOnce).0, "it has two awaits");
}

#[test]
fn a_future_that_nobody_wakes_is_a_hang() {
    let stage = Stage::spawning();
    let text = panics(|| stage.run(std::future::pending::<()>()));
    assert!(text.contains("HANG"), "{text}");
    stage.run(yield_now());
}

#[test]
fn a_body_beyond_its_deadline_is_a_hang_and_a_panic_comes_through() {
    let gate = Gate::new();
    let inside = gate.clone();
    let text = panics(|| {
        within(Duration::from_millis(5), "never", move || {
            futures_lite::future::block_on(inside.wait());
        });
    });
    gate.open();
    assert_eq!(text, "HANG: never took longer than 5ms");
    let text = panics(|| within(Duration::from_secs(60), "panics", || panic!("its own")));
    assert_eq!(text, "its own");
    assert_eq!(within(Duration::from_secs(60), "answers", || 7), 7);
}

#[test]
fn a_probe_counts_wakes_and_polls() {
    let gate = Gate::new();
    let mut probe = Probe::pending(gate.wait());
    assert!(!probe.is_woken() && !probe.wants_poll());
    gate.open();
    assert!(probe.is_woken() && probe.wakes() == 1 && probe.polls() == 1);
    assert!(probe.poll());
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(pin!(gate.wait()).poll(&mut cx).is_ready());
}
