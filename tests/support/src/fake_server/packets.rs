//! The few packets of MySQL's protocol that the fake server reads and writes.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// `COM_QUIT`.
pub(super) const QUIT: u8 = 0x01;
/// `COM_QUERY`.
pub(super) const QUERY: u8 = 0x03;

/// Long passwords, a database at login, protocol 4.1, transactions, secure connections, several statements and results,
/// authentication plugins. Without `CLIENT_DEPRECATE_EOF`, rows end with an EOF packet.
const CAPABILITIES: u32 = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x1_0000 | 0x2_0000 | 0x8_0000;
const IN_TRANSACTION: u16 = 1;
const AUTOCOMMIT: u16 = 2;
/// `utf8mb4_general_ci`.
const COLLATION: u8 = 45;
const VAR_STRING: u8 = 0xfd;

/// A socket that numbers its packets.
pub(super) struct Wire<'a> {
    socket: &'a TcpStream,
    next: u8,
}

impl<'a> Wire<'a> {
    pub(super) fn new(socket: &'a TcpStream) -> Self {
        Self { socket, next: 0 }
    }

    /// A command begins, and with it the count.
    pub(super) fn begin(&mut self) {
        self.next = 0;
    }

    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.socket.read_exact(&mut header)?;
        let [a, b, c, number] = header;
        let mut packet = vec![0; u32::from_le_bytes([a, b, c, 0]) as usize];
        self.socket.read_exact(&mut packet)?;
        self.next = number.wrapping_add(1);
        Ok(packet)
    }

    pub(super) fn write(&mut self, packet: &[u8]) -> io::Result<()> {
        let length = u32::try_from(packet.len()).expect("a short packet");
        let [a, b, c, _] = length.to_le_bytes();
        let whole = [&[a, b, c, self.next], packet].concat();
        self.next = self.next.wrapping_add(1);
        self.socket.write_all(&whole)
    }
}

pub(super) fn greeting(version: &str, connection: u32) -> Vec<u8> {
    let [low, high, upper, top] = CAPABILITIES.to_le_bytes();
    let mut packet = vec![10];
    packet.extend(version.as_bytes());
    packet.push(0);
    packet.extend(connection.to_le_bytes());
    packet.extend(b"saltsalt\0");
    packet.extend([low, high, COLLATION]);
    packet.extend(AUTOCOMMIT.to_le_bytes());
    packet.extend([upper, top, 21]);
    packet.extend([0; 10]);
    packet.extend(b"saltsaltsalt\0mysql_native_password\0");
    packet
}

pub(super) fn ok(in_transaction: bool) -> Vec<u8> {
    let status = match in_transaction {
        true => AUTOCOMMIT | IN_TRANSACTION,
        false => AUTOCOMMIT,
    };
    let [low, high] = status.to_le_bytes();
    vec![0, 0, 0, low, high, 0, 0]
}

pub(super) fn error(code: u16, text: &str) -> Vec<u8> {
    let [low, high] = code.to_le_bytes();
    let mut packet = vec![0xff, low, high];
    packet.extend(b"#HY000");
    packet.extend(text.as_bytes());
    packet
}

/// The packets of a result with one row: the number of columns, the columns, EOF, the row, EOF.
pub(super) fn row(texts: &[String]) -> Vec<Vec<u8>> {
    let count = u8::try_from(texts.len()).expect("a few columns");
    let mut packets = vec![vec![count]];
    packets.extend(texts.iter().map(|_| column()));
    packets.push(eof());
    packets.push(texts.iter().flat_map(|text| counted(text)).collect());
    packets.push(eof());
    packets
}

fn column() -> Vec<u8> {
    let mut packet = Vec::new();
    // The catalogue, the schema, the table twice, the name twice.
    for text in ["def", "", "", "", "c", "c"] {
        packet.extend(counted(text));
    }
    packet.extend([0x0c, COLLATION, 0, 0, 1, 0, 0, VAR_STRING, 0, 0, 0, 0, 0]);
    packet
}

fn eof() -> Vec<u8> {
    let [low, high] = AUTOCOMMIT.to_le_bytes();
    vec![0xfe, 0, 0, low, high]
}

/// A text after its length.
fn counted(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|it| *it < 251);
    let mut packet = vec![length.expect("a short text")];
    packet.extend(text.as_bytes());
    packet
}
