//! One connection of the fake server: greeting, login, and an answer to each command.

use std::io;
use std::net::TcpStream;

use super::packets::{self, QUIT, Wire};
use super::{Answer, Received, Room, lock};

/// Serves a connection until one side closes it.
pub(super) fn serve(room: &Room, socket: &TcpStream, number: u32) -> io::Result<()> {
    let mut wire = Wire::new(socket);
    let version = lock(&room.version).clone();
    wire.write(&packets::greeting(&version, number))?;
    wire.read()?;
    wire.write(&packets::ok(false))?;
    loop {
        wire.begin();
        let packet = wire.read()?;
        let Some((&byte, payload)) = packet.split_first() else {
            return Ok(());
        };
        let received = Received {
            connection: number,
            byte,
            payload: payload.to_vec(),
        };
        lock(&room.received).push(received.clone());
        if byte == QUIT {
            return Ok(());
        }
        match (room.script)(&received) {
            Answer::Ok => wire.write(&packets::ok(false))?,
            Answer::InTransaction => wire.write(&packets::ok(true))?,
            Answer::Error(code, text) => wire.write(&packets::error(code, text))?,
            Answer::Row(texts) => {
                for packet in packets::row(&texts) {
                    wire.write(&packet)?;
                }
            }
            Answer::HangUp => return Ok(()),
            Answer::Nothing => {}
        }
    }
}
