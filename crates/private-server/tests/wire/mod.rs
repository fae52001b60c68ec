//! Just enough of the protocol to log in as a user without a password and to look at the bytes of an answer.

use std::io::{self, Read, Write};

/// A client over any stream.
pub(crate) struct Wire<S> {
    stream: S,
}

impl<S: Read + Write> Wire<S> {
    /// Reads the greeting and logs in as `user` with an empty password.
    pub(crate) fn login(stream: S, user: &str) -> io::Result<Self> {
        let mut wire = Self { stream };
        let greeting = wire.read_packet()?;
        assert_eq!(greeting[0], 0x0a, "a greeting of protocol 10");
        // Long password, protocol 41, secure connection, plugin auth.
        let capabilities: u32 = 0x1 | 0x200 | 0x8000 | 0x8_0000;
        let mut answer = capabilities.to_le_bytes().to_vec();
        answer.extend(0x0100_0000_u32.to_le_bytes());
        answer.push(33);
        answer.extend([0; 23]);
        answer.extend(user.as_bytes());
        answer.extend([0, 0]);
        answer.extend(b"mysql_native_password\0");
        wire.write_packet(1, &answer)?;
        let mut verdict = wire.read_packet()?;
        if verdict[0] == 0xfe {
            // The server wants another plugin; to each of them an empty password is one zero byte.
            wire.write_packet(3, &[0])?;
            verdict = wire.read_packet()?;
        }
        if verdict[0] == 0 {
            return Ok(wire);
        }
        Err(io::Error::other(
            String::from_utf8_lossy(&verdict).into_owned(),
        ))
    }

    /// Sends one statement and returns all packets of its result as text; empty for a statement without one.
    pub(crate) fn query(&mut self, statement: &str) -> io::Result<String> {
        let mut command = vec![3];
        command.extend(statement.as_bytes());
        self.write_packet(0, &command)?;
        let mut text = String::new();
        // One after the columns, one after the rows.
        let mut ends = 0;
        while ends < 2 {
            let packet = self.read_packet()?;
            match packet[0] {
                0 if text.is_empty() => break,
                0xff => {
                    return Err(io::Error::other(
                        String::from_utf8_lossy(&packet).into_owned(),
                    ));
                }
                0xfe if packet.len() < 9 => ends += 1,
                _ => text += &String::from_utf8_lossy(&packet),
            }
        }
        Ok(text)
    }

    fn read_packet(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head)?;
        let mut packet = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
        self.stream.read_exact(&mut packet)?;
        Ok(packet)
    }

    fn write_packet(&mut self, number: u8, payload: &[u8]) -> io::Result<()> {
        let mut packet = (payload.len() as u32).to_le_bytes().to_vec();
        packet[3] = number;
        packet.extend(payload);
        self.stream.write_all(&packet)
    }
}
