//! A file server for one reader on this machine. It rebuilds the book when a
//! file was saved, and the page in the browser loads itself again.

use crate::build::Built;
use crate::watch::Watch;
use crate::{Result, build};
use percent_encoding::percent_decode_str;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use tiny_http::{Header, Method, Request, Response, Server};

const FIRST_PORT: u16 = 3000;
const PORTS_TO_TRY: u16 = 20;

/// Asks for the number of the build, and loads the page again with the next.
const RELOAD: &str = include_str!("../theme/reload.html");

/// Serves the pages in `book` until the program is stopped.
pub fn serve(root: &Path, book: &Path, port: Option<u16>, open: bool) -> Result<()> {
    let (server, port) = match port {
        Some(port) => (bind(port).map_err(|e| format!("port {port}: {e}"))?, port),
        None => free_port()?,
    };
    let url = format!("http://localhost:{port}");
    println!("Read it at {url} (Ctrl-C ends); what you save is built again");
    if open && let Err(error) = opener::open_browser(&url) {
        eprintln!("error: cannot open a browser: {error}");
    }
    let builds = Arc::new(Builds::default());
    let watcher = (Watch::new(root)?, root.to_path_buf(), builds.clone());
    thread::spawn(move || rebuild(watcher.0, &watcher.1, &watcher.2));
    answer_all(&server, book, &builds);
    Ok(())
}

fn answer_all(server: &Server, book: &Path, builds: &Arc<Builds>) {
    for request in server.incoming_requests() {
        let (book, builds) = (book.to_path_buf(), builds.clone());
        thread::spawn(move || answer(request, &book, &builds));
    }
}

fn bind(port: u16) -> std::result::Result<Server, Box<dyn std::error::Error + Send + Sync>> {
    Server::http(("127.0.0.1", port))
}

fn free_port() -> Result<(Server, u16)> {
    for port in FIRST_PORT..FIRST_PORT + PORTS_TO_TRY {
        match bind(port) {
            Ok(server) => return Ok((server, port)),
            Err(error) if is_busy(&*error) => println!("Port {port} is busy; trying the next"),
            Err(error) => return Err(format!("port {port}: {error}").into()),
        }
    }
    Err("no free port; name one: cargo run -- --port PORT".into())
}

fn is_busy(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|e| e.kind() == io::ErrorKind::AddrInUse)
}

/// What an open page asks for: how often the book was built, and what stops the
/// build since then.
#[derive(Default)]
struct Builds(Mutex<(u64, String)>);

impl Builds {
    fn finish(&self, result: Result<Built>) {
        let mut builds = self.0.lock().unwrap_or_else(|e| e.into_inner());
        match result {
            Ok(_) => {
                println!("Rebuilt");
                *builds = (builds.0 + 1, String::new());
            }
            Err(error) => {
                builds.1 = format!("error: {error}; what is served is the book before");
                eprintln!("{}", builds.1);
            }
        }
    }

    /// `3`, and below it the fault.
    fn tell(&self) -> String {
        let builds = self.0.lock().unwrap_or_else(|e| e.into_inner());
        format!("{}\n{}", builds.0, builds.1)
    }
}

fn rebuild(watch: Watch, root: &Path, builds: &Builds) {
    while watch.wait().is_ok() {
        builds.finish(build::build(root));
    }
}

/// A browser that has gone away is no error of ours: what `respond` says is
/// dropped.
fn answer(request: Request, book: &Path, builds: &Builds) {
    if !matches!(request.method(), Method::Get | Method::Head) {
        let _ = request.respond(Response::empty(405));
    } else if request.url() == "/build" {
        let _ = request.respond(Response::from_string(builds.tell()));
    } else {
        let (path, status) = match find(request.url(), book) {
            Some(path) => (path, 200),
            None => (book.join("404.html"), 404),
        };
        let _ = request.respond(page(&path, status));
    }
}

/// The file that a URL asks for, if it is one of the book's.
fn find(url: &str, book: &Path) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?;
    let inside = Path::new(&*path).components().all(|c| matches!(c, Component::Normal(_)));
    let mut file = book.join(&*path);
    if file.is_dir() {
        file.push("index.html");
    }
    (inside && file.is_file()).then_some(file)
}

fn page(path: &Path, status: u16) -> Response<io::Cursor<Vec<u8>>> {
    let mut body = fs::read(path).unwrap_or_default();
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    if mime == mime_guess::mime::TEXT_HTML {
        body.extend_from_slice(RELOAD.as_bytes());
    }
    let text = mime.type_() == "text" || mime.subtype() == "javascript";
    let charset = if text { "; charset=utf-8" } else { "" };
    Response::from_data(body)
        .with_status_code(status)
        .with_header(header("Content-Type", &format!("{mime}{charset}")))
        .with_header(header("Cache-Control", "no-store"))
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("a header in ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    /// A server that has seen one good build and one with a fault.
    fn served() -> u16 {
        let (server, port) = free_port().expect("a port");
        let builds = Arc::new(Builds::default());
        let pages = PathBuf::from("nowhere");
        let site = crate::tests::book().site.clone();
        builds.finish(Ok(Built { pages: pages.clone(), site }));
        builds.finish(Err("fork.md:3: dead link".into()));
        thread::spawn(move || answer_all(&server, &pages, &builds));
        port
    }

    /// Asks, and keeps the connection as a browser does.
    fn ask(port: u16) -> (TcpStream, String) {
        let mut tab = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        tab.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a limit");
        tab.write_all(b"GET /build HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
        let mut answer = [0; 1000];
        let length = tab.read(&mut answer).expect("it answers at once");
        (tab, String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    #[test]
    fn each_of_many_tabs_learns_of_a_fault_at_once() {
        let port = served();
        let tabs: Vec<_> = (0..20).map(|_| ask(port)).collect();
        for (_, answer) in tabs {
            assert!(answer.contains("1\nerror: fork.md:3: dead link"), "{answer}");
        }
    }

    #[test]
    fn a_busy_port_is_passed_over() {
        let (_first, port) = free_port().expect("a port");
        let (_second, other) = free_port().expect("another");
        assert_ne!(port, other);
    }
}
