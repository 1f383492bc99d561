//! A file server for one reader on this machine. It rebuilds the book when a
//! file was saved, and the page in the browser loads itself again.

use crate::watch::Watch;
use crate::{Result, build};
use percent_encoding::percent_decode_str;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use tiny_http::{Header, Method, Request, Response, Server};

const FIRST_PORT: u16 = 3000;
const PORTS_TO_TRY: u16 = 20;

/// Asks for an answer that comes with the next build; then loads the page again.
const RELOAD: &str =
    "<script>fetch('/next-build').then(r => { if (r.ok) location.reload() })</script>";

/// Serves the pages in `book` until the program is stopped.
pub fn serve(root: &Path, book: &Path, port: Option<u16>, open: bool) -> Result<()> {
    let (server, port) = match port {
        Some(port) => (bind(port).map_err(|e| format!("port {port}: {e}"))?, port),
        None => free_port()?,
    };
    let url = format!("http://localhost:{port}");
    println!("Read it at {url} (Ctrl-C ends); a saved chapter, program or figure is rebuilt");
    if open && let Err(error) = opener::open_browser(&url) {
        eprintln!("error: cannot open a browser: {error}");
    }
    let builds = Arc::new(Builds::default());
    let watcher = (Watch::new(root)?, root.to_path_buf(), builds.clone());
    thread::spawn(move || rebuild(watcher.0, &watcher.1, &watcher.2));
    for request in server.incoming_requests() {
        let (book, builds) = (book.to_path_buf(), builds.clone());
        thread::spawn(move || answer(request, &book, &builds));
    }
    Ok(())
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

/// Counts the builds, for those who wait for the next.
#[derive(Default)]
struct Builds {
    count: Mutex<u64>,
    done: Condvar,
}

impl Builds {
    fn finish(&self) {
        *self.count.lock().unwrap_or_else(|e| e.into_inner()) += 1;
        self.done.notify_all();
    }

    fn wait_for_next(&self) {
        let count = self.count.lock().unwrap_or_else(|e| e.into_inner());
        let before = *count;
        drop(self.done.wait_while(count, |count| *count == before));
    }
}

fn rebuild(watch: Watch, root: &Path, builds: &Builds) {
    while watch.wait().is_ok() {
        match build::build(root) {
            Ok(_) => {
                println!("Rebuilt");
                builds.finish();
            }
            Err(error) => eprintln!("error: {error}; what is served is the book before"),
        }
    }
}

/// A browser that has gone away is no error of ours: what `respond` says is
/// dropped.
fn answer(request: Request, book: &Path, builds: &Builds) {
    if !matches!(request.method(), Method::Get | Method::Head) {
        let _ = request.respond(Response::empty(405));
    } else if request.url() == "/next-build" {
        builds.wait_for_next();
        let _ = request.respond(Response::empty(204));
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
