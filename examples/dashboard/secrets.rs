//! Nothing that the program shows has a password in it: neither its page, nor its server-sent events, nor what it prints.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::faults::CHANGED;
use crate::load::PASSWORD;

/// Tells the child of the test that it is the program.
const CHILD: &str = "DASHBOARD_IS_CHILD";

const PATIENCE: Duration = Duration::from_secs(120);

/// The program itself, in a process of its own, so that all that it prints can be read.
struct Program {
    child: Child,
    address: String,
    /// What it prints to both outputs. They are read all the time, because it would wait otherwise.
    printed: [JoinHandle<String>; 2],
}

impl Program {
    fn start() -> Self {
        let test = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(test)
            .args(["--exact", "secrets::no_password_is_shown", "--nocapture"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            let read = stdout.read_line(&mut line).expect("text");
            assert!(read > 0, "it has ended");
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.trim_end().trim_end_matches('/').to_owned();
            }
        };
        let stderr = child.stderr.take().expect("it is piped");
        Self {
            child,
            address,
            printed: [read(stdout), read(stderr)],
        }
    }

    fn ask(&self, method: &str, path: &str) -> TcpStream {
        let mut socket = TcpStream::connect(&self.address).expect("it listens");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("it reads");
        socket
    }

    /// The whole answer.
    fn answer(&self, method: &str, path: &str) -> String {
        let mut answer = String::new();
        let mut socket = self.ask(method, path);
        socket.read_to_string(&mut answer).expect("text");
        answer
    }

    /// Presses a button; returns all server-sent events until the fault is over.
    fn press(&self, fault: &str, events: &Receiver<String>) -> String {
        let pressed = self.answer("POST", &format!("/fault/{fault}"));
        assert!(pressed.contains("202 Accepted"), "{pressed}");
        let end = Instant::now() + PATIENCE;
        let mut shown = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = events.recv_timeout(left).expect("the fault ends");
            let is_over = line.contains("the fault is over");
            shown += &line;
            shown.push('\n');
            if is_over {
                return shown;
            }
        }
    }

    /// Ends it; returns what it has printed to both outputs.
    fn end(mut self) -> [String; 2] {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("it ends").success());
        self.printed.map(|output| output.join().expect("no panic"))
    }
}

fn read(mut output: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).expect("text");
        text
    })
}

#[test]
fn no_password_is_shown() {
    if std::env::var_os(CHILD).is_some() {
        return crate::main().expect("it goes well");
    }
    let program = Program::start();
    let mut shown = program.answer("GET", "/");
    let (sender, events) = channel();
    let stream = BufReader::new(program.ask("GET", "/events"));
    thread::spawn(move || {
        let lines = stream.lines().map_while(Result::ok);
        lines.for_each(|line| drop(sender.send(line)));
    });
    // From now on no event is missed.
    shown += &events.recv_timeout(PATIENCE).expect("it begins");
    // Those in which the pool logs in again, or cannot.
    for fault in ["password", "lost", "restart"] {
        shown += &program.press(fault, &events);
    }
    shown += &program.answer("POST", "/fault/none");
    let [stdout, stderr] = program.end();
    // Each kind of output was among what is searched.
    for words in ["</html>", "event: tick", "Access denied for user 'shop'@"] {
        assert!(shown.contains(words), "{words} was not shown");
    }
    for words in ["Access denied for user 'shop'@", "dashboard ok"] {
        assert!(stdout.contains(words), "{words} was not printed: {stdout}");
    }
    for (output, text) in [("HTTP", &shown), ("stdout", &stdout), ("stderr", &stderr)] {
        for password in [PASSWORD, CHANGED] {
            let line = text.lines().find(|line| line.contains(password));
            assert_eq!(line, None, "{output}");
        }
    }
}
