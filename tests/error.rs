//! What an error says, and that it says the same in another process.

use multiprocessing::{Error, pipe};
use std::io;

/// One of each kind that could lose something on its way.
fn errors() -> Vec<Error> {
    let system = |source: io::Error| Error::System { what: "open a file".into(), source };
    vec![
        Error::NotInitialised,
        Error::Unsupported { reason: "it is too old".into() },
        Error::Encode { what: "a number".into(), reason: "too large".into() },
        Error::Decode { what: "a number".into(), reason: "too small".into() },
        Error::Panicked { message: "as asked".into(), location: "src/main.rs:1:2".into() },
        Error::Exited { status: 255 },
        Error::Killed { signal: 9 },
        Error::Killed { signal: 34 },
        Error::Closed,
        Error::Unfinished { received: 1, length: u64::MAX },
        Error::OwnerDied,
        Error::AlreadyLocked,
        Error::Authentication { reason: "it is another one".into() },
        Error::TooManyPermits { limit: 3 },
        Error::OutOfRange { index: 5, length: 4 },
        system(io::Error::from_raw_os_error(2)),
        system(io::Error::other("what no system says")),
        system(io::Error::from(io::ErrorKind::InvalidInput)),
        system(io::Error::new(io::ErrorKind::UnexpectedEof, "half of it")),
    ]
}

/// What the system said.
fn source(error: &Error) -> Option<(Option<i32>, io::ErrorKind)> {
    match error {
        Error::System { source, .. } => Some((source.raw_os_error(), source.kind())),
        _ => None,
    }
}

#[test]
fn an_error_that_was_sent_is_the_same() -> Result<(), Error> {
    let (sender, receiver) = pipe::<Error, ()>()?;
    for (error, sent) in errors().into_iter().zip(errors()) {
        sender.send(sent)?;
        let arrived: Error = receiver.recv()?;
        assert_eq!(arrived.to_string(), error.to_string());
        assert_eq!(variant(&arrived), variant(&error));
        assert_eq!(source(&arrived), source(&error));
    }
    Ok(())
}

/// The name of the variant.
fn variant(error: &Error) -> String {
    let structure = format!("{error:#?}");
    structure.split([' ', '{']).next().unwrap_or_default().to_string()
}

#[test]
fn debug_is_the_message_and_in_long_form_the_variant() {
    for error in errors() {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(!error.to_string().contains(&variant(&error)), "{error:#?}");
    }
    let error = Error::OutOfRange { index: 5, length: 4 };
    assert_eq!(format!("{error:?}"), "index 5 is out of range: the length is 4");
    assert_eq!(format!("{error:#?}"), "OutOfRange {\n    index: 5,\n    length: 4,\n}");
    assert_eq!(format!("{:#?}", Error::Closed), "Closed");
}
