//! Each button of the page does what it says, and the pool tells of it in the words that the documentation shows.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Dashboard, PAGE, routes};

const PATIENCE: Duration = Duration::from_secs(120);

/// A button, how loud the line is that it brings about, and what this line contains.
type Button = (&'static str, &'static str, &'static [&'static str]);

/// More than wait when the usual customers come.
const CROWD: u32 = 12;

/// They take about as long in each row, and the rows are pressed at once, each on a page of its own.
const ROWS: [&[Button]; 3] = [
    &[
        (
            "leak",
            "warn",
            &["faults.rs:", " (monthly report): is it leaked?"],
        ),
        (
            "lost",
            "info",
            &[" was closed: it cannot be used again: the server closed it"],
        ),
        (
            "rush",
            "warn",
            &[
                " has waited for ",
                " and is still waiting for a connection; size 8 ",
            ],
        ),
    ],
    &[
        // First, because a breaker that is open already does not open again.
        (
            "full",
            "warn",
            &[
                "the breaker has opened: ",
                " (overloaded): ",
                ": 1040 (",
                "): Too many connections",
            ],
        ),
        (
            "slow",
            "error",
            &[
                "acquire ",
                " timed out after 2",
                "held longest: connection ",
                "load.rs:",
            ],
        ),
        (
            "frozen",
            "error",
            &["acquire ", " timed out after 2", ", maxsize 8"],
        ),
    ],
    &[
        (
            "restart",
            "error",
            &["connecting number ", " (transient): ", "Connection refused"],
        ),
        (
            "password",
            "warn",
            &[
                "the breaker has opened: the next connect is tried in 1",
                " (auth): ",
                "Access denied",
            ],
        ),
    ],
];

#[tokio::test(flavor = "multi_thread")]
async fn each_button_brings_about_the_line_by_which_its_trouble_is_known() {
    let pressed = ROWS.map(|row| tokio::spawn(press_all(row)));
    for row in pressed {
        row.await.expect("no panic");
    }
    // None is left out.
    let on_page = PAGE.split("data-fault=\"").skip(1);
    let mut on_page: Vec<&str> = on_page.filter_map(|rest| rest.split('"').next()).collect();
    let mut in_rows: Vec<&str> = ROWS
        .iter()
        .flat_map(|row| row.iter())
        .map(|it| it.0)
        .collect();
    on_page.sort_unstable();
    in_rows.sort_unstable();
    assert_eq!(in_rows, on_page);
}

async fn press_all(row: &[Button]) {
    let dashboard = Dashboard::start(routes).await.expect("it starts");
    let mut messages = dashboard.shown.watch.subscribe();
    assert!(post(&dashboard, "none").await.contains(" 404 "));
    for (button, level, words) in row {
        let answer = post(&dashboard, button).await;
        assert!(answer.contains(" 202 "), "{button}: {answer}");
        if *button != "lost" {
            // It takes some seconds.
            assert!(post(&dashboard, button).await.contains(" 409 "));
        }
        let seen = |told: &Value| {
            let text = told["text"].as_str().unwrap_or_default();
            let is_it = told["level"] == *level && words.iter().all(|words| text.contains(words));
            is_it && (*button != "rush" || waiting(text) > CROWD)
        };
        until_told(button, &mut messages, seen).await;
    }
    let stats = dashboard.shown.pool.stats();
    if row.iter().any(|(button, ..)| *button == "password") {
        let tick = next_tick(&mut messages).await;
        for number in ["failures", "breaker_opens", "connect_failures"] {
            assert!(tick[number].as_u64() > Some(0), "{number}: {tick}");
        }
        assert!(stats.breaker_opens() >= 2, "the server was gone, too");
    }
    // What a button breaks is mended again.
    let end = Instant::now() + PATIENCE;
    while let Err(error) = dashboard.shown.pool.acquire().await {
        assert!(Instant::now() < end, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
    dashboard.stop().await.expect("it stops");
}

/// How many wait, by a line that has the counts.
fn waiting(line: &str) -> u32 {
    let counts = line.split_once(", waiting ");
    let number = counts.and_then(|(_, rest)| rest.split(',').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Waits for such a line, and for the end of the fault.
async fn until_told(
    button: &str,
    messages: &mut Receiver<(&'static str, String)>,
    seen: impl Fn(&Value) -> bool,
) {
    let (mut is_seen, mut is_over) = (false, false);
    let mut lines = Vec::new();
    let end = Instant::now() + PATIENCE;
    while !(is_seen && is_over) {
        let message = timeout_at(end, messages.recv()).await;
        let message = message
            .unwrap_or_else(|_| panic!("{button}: seen {is_seen}, over {is_over}: {lines:#?}"));
        match message {
            Ok(("told", text)) => {
                lines.push(text.clone());
                let told: Value = serde_json::from_str(&text).expect("JSON");
                is_over |= told["text"] == "the fault is over";
                is_seen |= seen(&told);
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => panic!("it has ended"),
        }
    }
}

async fn next_tick(messages: &mut Receiver<(&'static str, String)>) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let message = timeout_at(end, messages.recv()).await.expect("it goes on");
        if let Ok(("tick", text)) = message {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

/// Presses a button as the page does; the answer's first line.
async fn post(dashboard: &Dashboard, button: &str) -> String {
    let mut socket = TcpStream::connect(dashboard.address)
        .await
        .expect("it listens");
    let request = format!("POST /fault/{button} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("text");
    answer.lines().next().unwrap_or_default().to_owned()
}
