//! A file server for one reader on this machine. It rebuilds the book when a
//! file was saved, and the page in the browser loads itself again.

use crate::build::Built;
use crate::watch::Watch;
use crate::{Result, build};
use oxhttp::model::header::{CACHE_CONTROL, CONTENT_TYPE};
use oxhttp::model::{Body, Method, Request, Response, StatusCode};
use oxhttp::{ListeningServer, Server};
use percent_encoding::percent_decode_str;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

const FIRST_PORT: u16 = 3000;
const PORTS_TO_TRY: u16 = 20;

/// Asks for the number of the build, and loads the page again with the next.
const RELOAD: &str = include_str!("../theme/reload.html");

/// Serves the pages in `book` until the program is stopped.
pub fn serve(root: &Path, book: &Path, port: Option<u16>, open: bool) -> Result<()> {
    let builds = Arc::new(Builds::default());
    let (server, port) = match port {
        Some(port) => (listen(port, book, &builds).map_err(|e| format!("port {port}: {e}"))?, port),
        None => free_port(book, &builds)?,
    };
    let url = format!("http://localhost:{port}");
    println!("Read it at {url} (Ctrl-C ends); what you save is built again");
    if open && let Err(error) = opener::open_browser(&url) {
        eprintln!("error: cannot open a browser: {error}");
    }
    let watcher = (Watch::new(root)?, root.to_path_buf());
    thread::spawn(move || rebuild(watcher.0, &watcher.1, &builds));
    Ok(server.join()?)
}

/// Answers on this port, in a thread for each connection of a browser.
fn listen(port: u16, book: &Path, builds: &Arc<Builds>) -> io::Result<ListeningServer> {
    let (book, builds) = (book.to_path_buf(), Arc::clone(builds));
    let server = Server::new(move |request| answer(request, &book, &builds));
    server.bind((Ipv4Addr::LOCALHOST, port)).spawn()
}

fn free_port(book: &Path, builds: &Arc<Builds>) -> Result<(ListeningServer, u16)> {
    for port in FIRST_PORT..FIRST_PORT + PORTS_TO_TRY {
        match listen(port, book, builds) {
            Ok(server) => return Ok((server, port)),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                println!("Port {port} is busy; trying the next");
            }
            Err(error) => return Err(format!("port {port}: {error}").into()),
        }
    }
    Err("no free port; name one: cargo run -- --port PORT".into())
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

fn answer(request: &Request<Body>, book: &Path, builds: &Builds) -> Response<Body> {
    let path = request.uri().path();
    if request.method() != Method::GET {
        response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET".into())
    } else if path == "/build" {
        response(StatusCode::OK, "text/plain; charset=utf-8", builds.tell().into())
    } else {
        match find(path, book) {
            Some(path) => page(&path, StatusCode::OK),
            None => page(&book.join("404.html"), StatusCode::NOT_FOUND),
        }
    }
}

/// The file that a path of a URL names, if it is one of the book's.
fn find(path: &str, book: &Path) -> Option<PathBuf> {
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?;
    let inside = Path::new(&*path).components().all(|c| matches!(c, Component::Normal(_)));
    let mut file = book.join(&*path);
    if file.is_dir() {
        file.push("index.html");
    }
    (inside && file.is_file()).then_some(file)
}

fn page(path: &Path, status: StatusCode) -> Response<Body> {
    let mut body = fs::read(path).unwrap_or_default();
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    if mime == mime_guess::mime::TEXT_HTML {
        body.extend_from_slice(RELOAD.as_bytes());
    }
    let text = mime.type_() == "text" || mime.subtype() == "javascript";
    let charset = if text { "; charset=utf-8" } else { "" };
    response(status, &format!("{mime}{charset}"), body)
}

fn response(status: StatusCode, mime: &str, body: Vec<u8>) -> Response<Body> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, mime);
    let response = response.header(CACHE_CONTROL, "no-store").body(body.into());
    response.expect("a type of a file is a header's value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    /// A server that has seen one good build and one with a fault.
    fn served() -> u16 {
        let builds = Arc::new(Builds::default());
        let pages = PathBuf::from("nowhere");
        let (_server, port) = free_port(&pages, &builds).expect("a port");
        let site = crate::tests::book().site.clone();
        builds.finish(Ok(Built { pages, site }));
        builds.finish(Err("fork.md:3: dead link".into()));
        port
    }

    fn connect(port: u16) -> TcpStream {
        let tab = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        tab.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a limit");
        tab
    }

    /// Asks, and keeps the connection as a browser does.
    fn ask(tab: &mut TcpStream) -> String {
        tab.write_all(b"GET /build HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
        let mut answer = [0; 1000];
        let length = tab.read(&mut answer).expect("it answers at once");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// A browser connects several times at once, and keeps all of the connections.
    #[test]
    fn each_of_many_tabs_learns_of_a_fault_at_once() {
        let port = served();
        let mut tabs: Vec<_> = (0..20).map(|_| connect(port)).collect();
        for answer in tabs.iter_mut().map(ask) {
            assert!(answer.contains("1\nerror: fork.md:3: dead link"), "{answer}");
        }
    }

    #[test]
    fn a_busy_port_is_passed_over() {
        let (pages, builds) = (Path::new("nowhere"), Arc::default());
        let (_first, port) = free_port(pages, &builds).expect("a port");
        let (_second, other) = free_port(pages, &builds).expect("another");
        assert_ne!(port, other);
    }
}
