//! All who talk to each other.

use crate::handler::Event;
use crate::member::Member;
use multiprocessing::Error;
use std::time::{Duration, Instant};

pub struct Room(pub Vec<Member>);

impl Room {
    // ANCHOR: hear
    /// Takes one event of a member, so that nobody is heard
    /// more often than others.
    pub fn hear(&mut self, n: usize) {
        let member = &mut self.0[n];
        let Some(connection) = &member.connection else {
            return; // it has left
        };
        let line = match (connection.try_recv(), &member.name) {
            (Ok(Event::Joined(name)), None) => {
                let line = format!("{name} joined\n");
                member.name = Some(name);
                Some(line)
            }
            (Ok(Event::Said(text)), Some(name)) => {
                Some(format!("{name}: {text}\n"))
            }
            (Ok(Event::Left), _) => member.leave(),
            _ => member.drop_out(), // it died, most likely
        };
        self.tell_all(line);
    }

    /// Who cannot be told drops out, and the others hear it.
    fn tell_all(&mut self, line: Option<String>) {
        let mut lines: Vec<String> = line.into_iter().collect();
        while let Some(line) = lines.pop() {
            for member in &mut self.0 {
                if member.tell(&line).is_err() {
                    lines.extend(member.drop_out());
                }
            }
        }
    }
    // ANCHOR_END: hear

    /// Sends a member what waited for it.
    pub fn catch_up(&mut self, n: usize) {
        if self.0[n].catch_up().is_err() {
            let line = self.0[n].drop_out();
            self.tell_all(line);
        }
    }

    // ANCHOR: close
    /// Tells everybody, and gives them a second to read it.
    pub fn close(mut self) -> Result<(), Error> {
        self.tell_all(Some("The chat is over.\n".to_string()));
        for member in &mut self.0 {
            member.leave();
        }
        let end = Instant::now() + Duration::from_secs(1);
        for Member { process, .. } in &self.0 {
            let left =
                end.saturating_duration_since(Instant::now());
            if !process.wait_timeout(left) {
                process.kill()?;
                process.wait();
            }
        }
        Ok(())
    }
    // ANCHOR_END: close
}
