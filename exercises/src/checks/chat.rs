//! The exercises of the chapter `chat`. The last one joins what the chapter taught.

use crate::clients::{After, Client, Server};
use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "chat_end", "chat",
        look: "Step 2: a process for each",
        goal: "A client whose process ends or is killed reads the end at once.",
        hints: [
            "A connection ends when the last descriptor of the socket is closed. Which processes have one, of Ann's socket?",
            "`try_clone` makes a second descriptor, and `guests` keeps the first. Who needs it after the spawn?",
            "`Process::spawn(serve, socket.into())` moves the only descriptor to the child. The parent keeps the handlers.",
        ],
        end
    ),
    exercise!(
        "chat_lines", "chat",
        look: "Half a line, and nobody is served",
        goal: "Serve many clients in one loop, in whatever pieces their lines come.",
        hints: [
            "`wait` says that `read` will not wait. It says nothing of `read_line`, which goes on until the line ends.",
            "Keep a `Vec<u8>` for each client. `read` once when it is ready, and append what has come. Which whole lines are in it now?",
            "`rest.iter().position(|b| *b == b'\\n')` finds a line's end, and `rest.drain(..=end)` takes the line out. Make text of whole lines only.",
        ],
        lines
    ),
    exercise!(
        "chat_room", "chat",
        look: "One member does not read",
        goal: "A router that waits for no member, and tells the others who has left.",
        hints: [
            "`send` waits for room. What does `try_send` do instead, and what does its error mean here?",
            "Write a function `leave(member)` that kills the process, waits for its end, and returns the line that the others are told.",
            "While you tell all that Eve left, you may find that Bob has no room either. Keep a `Vec` of lines to tell, and go on until it is empty.",
        ],
        room
    ),
];

fn end(program: &Program) -> Verdict {
    let seen = program.serve(&["4"], |server| {
        let mut ann = welcomed(server, "Ann")?;
        let mut bob = welcomed(server, "Bob")?;
        let mut cid = welcomed(server, "Cid")?;
        let mut dan = welcomed(server, "Dan")?;
        let mut pids = vec![];
        for client in [&mut ann, &mut bob, &mut cid, &mut dan] {
            pids.push(served_by(client)?);
        }
        pids.sort_unstable();
        pids.dedup();
        expect(pids.len() == 4, || {
            "Each of four clients should have a process of its own, but two of them were answered \
             by the same."
                .into()
        })?;
        let bobs = served_by(&mut bob)?;
        server.kill(bobs)?;
        bob.reads_the_end().after("Bob's process was killed.")?;
        cid.say("bye\n")?;
        cid.reads_the_end().after("Cid has said “bye”.")?;
        drop(dan);
        served_by(&mut ann).after("The others have left.")?;
        server.rests()
    })?;
    seen.waited_for_workers()?;
    seen.succeeded()
}

fn welcomed<'a>(server: &'a Server, name: &'static str) -> Result<Client<'a>, String> {
    let mut client = server.connect(name)?;
    client.reads("welcome")?;
    Ok(client)
}

/// The id of the process that answers.
fn served_by(client: &mut Client) -> Result<i32, String> {
    client.say("hello\n")?;
    let line = client.line()?;
    let pid = line.strip_prefix("hello, says ").and_then(|pid| pid.parse().ok());
    pid.ok_or(format!("“hello” should be answered “hello, says …”, but the answer was “{line}”."))
}

fn lines(program: &Program) -> Verdict {
    let seen = program.serve(&["4"], |server| {
        let mut ann = server.connect("Ann")?;
        let mut bob = server.connect("Bob")?;
        let mut cid = server.connect("Cid")?;
        let mut dan = server.connect("Dan")?;
        bob.say("one\ntwo\nthree\n")?;
        for word in ["one", "two", "three"] {
            let three = "Bob has sent three lines in one piece.";
            bob.reads(&format!("you said {word}")).after(three)?;
        }

        ann.say("hel")?;
        bob.say("four\nfi")?;
        bob.reads("you said four").after("Ann has sent half a line.")?;
        bob.say("ve\n")?;
        bob.reads("you said five").after("Ann has sent half a line.")?;
        server.rests().after("Ann has sent half a line.")?;
        ann.say("lo\n")?;
        ann.reads("you said hello").after("Ann has sent the other half of “hello”.")?;

        // The pieces have to arrive one by one: Bob's second answer tells that the first was read.
        cid.say(b"h\xc3")?;
        for _ in 0..2 {
            bob.say("and\n")?;
            bob.reads("you said and").after("Cid has sent a part of a line.")?;
        }
        cid.say(b"\xa4llo\n")?;
        cid.reads("you said h\u{e4}llo")
            .after("Cid has sent “h\u{e4}llo” in two pieces, with half of the “\u{e4}” in each.")?;

        let long = "x".repeat(50_000);
        cid.say(format!("{long}\n"))?;
        cid.reads(&format!("you said {long}")).after("Cid has sent a line of 50,000 bytes.")?;

        dan.say("bye\n")?;
        drop(dan);
        let gone = "Dan has left without reading his answer.";
        bob.say("six\n").after(gone)?;
        bob.reads("you said six").after(gone)?;
        drop(bob);
        ann.say("seven\n")?;
        ann.reads("you said seven").after("Bob has left, too.")?;
        Ok(())
    })?;
    seen.succeeded()
}

/// The arguments: the members' names, in the order in which they connect. Eve never reads.
fn room(program: &Program) -> Verdict {
    for names in [["Ann", "Bob", "Eve"], ["Eve", "Bob", "Ann"]] {
        let play = |server: &Server| talk(server, names);
        let seen = program.serve(&names, play).after(&with(names))?;
        seen.waited_for_workers().after(&with(names))?;
        seen.succeeded().after(&with(names))?;
    }
    Ok(())
}

fn with(names: [&str; 3]) -> String {
    format!("In a run with the members {}:", names.join(", "))
}

fn talk(server: &Server, names: [&'static str; 3]) -> Verdict {
    let mut members = names.map(|name| (name, server.connect(name)));
    members.sort_by_key(|(name, _)| *name);
    let [(_, ann), (_, bob), (_, eve)] = members;
    let (mut ann, mut bob, mut eve) = (ann?, bob?, eve?);
    until_eve_leaves(&mut ann, &mut bob)?;
    eve.reads_the_end().after("Eve has left.")?;
    drop(bob);
    ann.reads("Bob left").after("Bob has hung up.")?;
    ann.say("alone\n")?;
    ann.reads("Ann: alone").after("The others have left.")?;
    server.rests()
}

/// More lines than there is room for.
const MOST_LINES: usize = 3_000;

fn until_eve_leaves<'a>(ann: &mut Client<'a>, bob: &mut Client<'a>) -> Verdict {
    let text = "x".repeat(1_000);
    let mut told = [false; 2];
    for count in 0..MOST_LINES {
        let so_far = format!("Ann has said {count} lines, and Eve has not read.");
        ann.say(format!("{text}\n")).after(&so_far)?;
        let members = [("Ann", &mut *ann), ("Bob", bob)];
        for ((name, member), told) in members.into_iter().zip(&mut told) {
            let mut line = member.line().after(&so_far)?;
            if line == "Eve left" {
                *told = true;
                line = member.line().after(&so_far)?;
            }
            expect(line == format!("Ann: {text}"), || {
                format!("{so_far} {name} should read what she said, but read “{line:.60}”.")
            })?;
        }
        if told == [true; 2] {
            return Ok(());
        }
    }
    Err(format!(
        "Ann has said {MOST_LINES} lines of 1,000 letters, and Eve has read none of them. Then there is no \
         room for more, so “Eve left” should be read by Ann and by Bob. It was {}.",
        match told {
            [false, false] => "read by nobody",
            _ => "read by one of them",
        }
    ))
}
