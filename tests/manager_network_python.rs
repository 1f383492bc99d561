//! The other side is Python's `multiprocessing.connection`: each version that is installed by
//! pyenv, or else `python3`.

use libtest_mimic::{Arguments, Trial};
use multiprocessing::{Address, Client, Error, Key, Listener};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::Outcome;
use tests::helper::LONG;
use tests::server::KEY;

/// One side, which sends back whatever it receives.
const SCRIPT: &str = r#"
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

side, address, key = sys.argv[1:]
if "/" not in address:
    host, port = address.split(":")
    address = host, int(port)
try:
    if side == "client":
        connection = Client(address, authkey=key.encode())
    else:
        listener = Listener(address, authkey=key.encode())
        name = listener.address
        print(name if isinstance(name, str) else "%s:%d" % name, flush=True)
        connection = listener.accept()
    while True:
        connection.send_bytes(connection.recv_bytes())
except (AuthenticationError, EOFError) as error:
    print(type(error).__name__)
"#;

fn main() -> ExitCode {
    multiprocessing::init();
    let mut trials = Vec::new();
    for python in pythons() {
        let Some(version) = version(&python) else { continue };
        let tests: [(&str, Test); 4] = [
            ("connects_to_our_listener", connects_to_our_listener),
            ("listens_for_our_client", listens_for_our_client),
            ("has_another_key", has_another_key),
            ("is_old_and_md5_is_not_allowed", is_old_and_md5_is_not_allowed),
        ];
        for (name, test) in tests {
            let python = Python { path: python.clone(), is_old: version < (3, 12) };
            let name = format!("{}.{}_{name}", version.0, version.1);
            trials.push(Trial::test(name, move || test(&python)));
        }
    }
    if trials.is_empty() {
        eprintln!("There is no Python here, so none is tested.");
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Test = fn(&Python) -> Outcome;

struct Python {
    path: PathBuf,
    /// Whether it has only HMAC-MD5.
    is_old: bool,
}

fn pythons() -> Vec<PathBuf> {
    let home = env::home_dir().unwrap_or_default();
    let versions = fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let pythons = versions.map(|version| version.path().join("bin/python3"));
    let found: Vec<_> = pythons.filter(|path| path.exists()).collect();
    if found.is_empty() { vec!["python3".into()] } else { found }
}

/// `None` if it cannot be started.
fn version(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print(*sys.version_info[:2])";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

impl Python {
    fn start(&self, side: &str, address: &Address, key: &str) -> Result<Started, std::io::Error> {
        let mut command = Command::new(&self.path);
        command.args(["-c", SCRIPT, side, &address.to_string(), key]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().ok_or(std::io::ErrorKind::Other)?);
        Ok(Started { child, stdout })
    }
}

struct Started {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Started {
    /// Where it listens.
    fn address(&mut self) -> Result<Address, std::io::Error> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim().into())
    }

    /// What it printed at its end.
    fn end(mut self) -> Result<String, std::io::Error> {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text)?;
        let mut errors = String::new();
        self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut errors));
        self.child.wait()?;
        Ok(text.trim().to_string() + &errors)
    }
}

fn sends_back(client: &Client<[u8], [u8]>) -> Outcome {
    for size in [0, 1, 16_384, 16_385, 1 << 20] {
        let bytes: Vec<u8> = (0..size).map(|n: usize| (n % 251) as u8).collect();
        // The other side sends while this one does.
        thread::scope(|scope| -> Outcome {
            let sent = scope.spawn(|| client.send_bytes(&bytes));
            assert!(client.recv_bytes_timeout(LONG)? == bytes, "{size} bytes");
            Ok(sent.join().expect("no panic")?)
        })?;
    }
    Ok(())
}

fn addresses(folder: &TempDir) -> [Address; 2] {
    ["127.0.0.1:0".into(), folder.path().join("socket").into()]
}

fn key_for(python: &Python) -> Key {
    Key::from(KEY).allow_md5(python.is_old)
}

fn connects_to_our_listener(python: &Python) -> Outcome {
    let folder = TempDir::new()?;
    for address in addresses(&folder) {
        let listener = Listener::bind(address, key_for(python))?;
        let other = python.start("client", &listener.local_addr(), KEY)?;
        let client = listener.accept_timeout::<[u8], [u8]>(LONG)?;
        sends_back(&client)?;
        drop(client);
        assert_eq!(other.end()?, "EOFError");
        assert_eq!(listener.refused(), 0);
    }
    Ok(())
}

fn listens_for_our_client(python: &Python) -> Outcome {
    let folder = TempDir::new()?;
    for address in addresses(&folder) {
        let mut other = python.start("listener", &address, KEY)?;
        let client = Client::connect_timeout(other.address()?, key_for(python), LONG)?;
        sends_back(&client)?;
        drop(client);
        assert_eq!(other.end()?, "EOFError");
    }
    Ok(())
}

fn has_another_key(python: &Python) -> Outcome {
    let listener = Listener::bind("127.0.0.1:0", key_for(python))?;
    let other = python.start("client", &listener.local_addr(), "another key")?;
    assert_eq!(other.end()?, "AuthenticationError");
    wait_for_one_refused(&listener);
    let mut other = python.start("listener", &"127.0.0.1:0".into(), "another key")?;
    let said = connect(other.address()?, key_for(python));
    assert!(said.contains("did not accept the key"), "{said}");
    assert_eq!(other.end()?, "AuthenticationError");
    Ok(())
}

fn wait_for_one_refused(listener: &Listener) {
    let start = Instant::now();
    while listener.refused() == 0 && start.elapsed() < LONG {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(listener.refused(), 1);
}

/// What a failed connect says.
fn connect(address: Address, key: Key) -> String {
    match Client::<[u8], [u8]>::connect_timeout(address, key, LONG) {
        Err(error @ Error::Authentication { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A new one does not use it, although it is allowed.
fn is_old_and_md5_is_not_allowed(python: &Python) -> Outcome {
    if !python.is_old {
        let listener = Listener::bind("127.0.0.1:0", Key::from(KEY).allow_md5(true))?;
        let _other = python.start("client", &listener.local_addr(), KEY)?;
        return sends_back(&listener.accept_timeout(LONG)?);
    }
    let listener = Listener::bind("127.0.0.1:0", KEY)?;
    let other = python.start("client", &listener.local_addr(), KEY)?;
    assert_eq!(other.end()?, "AuthenticationError");
    wait_for_one_refused(&listener);
    let mut other = python.start("listener", &"127.0.0.1:0".into(), KEY)?;
    let said = connect(other.address()?, KEY.into());
    assert!(said.contains("Key::allow_md5(true)"), "{said}");
    assert!(!other.end()?.is_empty());
    Ok(())
}
