//! Builds the book, checks it, and serves it to a reader on this machine.
//!
//! Every fault is an error that names its file and line: what mdBook complains
//! of, and what it lets pass (`includes`, `pages`).

mod build;
mod chapters;
mod complaints;
#[cfg(test)]
mod editions;
mod epub;
mod includes;
mod pages;
mod pdf;
mod polish;
mod serve;
mod site;
#[cfg(test)]
mod tests;
mod watch;

use lexopt::{Arg, Parser, ValueExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Whatever goes wrong here is told to a person and ends the program.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HELP: &str = "\
Builds, checks and serves the book Multiprocessing in Rust.

    cargo run                    serve it on http://localhost:3000, rebuild what changes
    cargo run -- --open          the same, and open it in the browser
    cargo run -- --port 4000     the same, on another port
    cargo run -- build           build it into target/book and check it
    cargo run -- pdf             the same, and print it into target/book.pdf (by Chromium)
    cargo run -- epub            the same, and write target/book.epub
";

#[derive(Default)]
enum Task {
    #[default]
    Serve,
    Build,
    Pdf,
    Epub,
}

#[derive(Default)]
struct Options {
    task: Task,
    open: bool,
    port: Option<u16>,
}

fn main() -> ExitCode {
    complaints::listen();
    match options().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(word) if word == "build" => options.task = Task::Build,
            Arg::Value(word) if word == "pdf" => options.task = Task::Pdf,
            Arg::Value(word) if word == "epub" => options.task = Task::Epub,
            Arg::Long("open") => options.open = true,
            Arg::Short('p') | Arg::Long("port") => options.port = Some(arguments.value()?.parse()?),
            Arg::Short('h') | Arg::Long("help") => {
                print!("{HELP}");
                std::process::exit(0);
            }
            other => return Err(format!("{}\n\n{HELP}", other.unexpected()).into()),
        }
    }
    Ok(options)
}

fn run(options: Options) -> Result<()> {
    let root = root();
    let book = build::build(&root)?;
    println!("The book is in {}", book.pages.display());
    let file = match options.task {
        Task::Serve => return serve::serve(&root, &book.pages, options.port, options.open),
        Task::Build => return Ok(()),
        Task::Pdf => pdf::write(&book.pages)?,
        Task::Epub => epub::write(&root, &book.pages, &book.site)?,
    };
    println!("and as one file: {}", file.display());
    Ok(())
}

/// The folder of the workspace, whatever folder cargo was called from.
fn root() -> PathBuf {
    let site = Path::new(env!("CARGO_MANIFEST_DIR"));
    site.parent().unwrap_or(site).to_path_buf()
}
