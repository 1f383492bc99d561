//! A child is found whatever became of the executable: moved, deleted, replaced,
//! stripped, linked statically.

use libtest_mimic::Arguments;
use multiprocessing::Process;
use std::env;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, id};
use tempfile::TempDir;
use tests::helper::{self, printed};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[("spawn", spawn), ("deleted", deleted), ("replaced", replaced)]);
    let trials = trials![
        a_copy,
        a_link,
        a_deleted_executable,
        a_replaced_executable,
        a_stripped_executable,
        a_statically_linked_executable,
    ];
    let mut arguments = Arguments::from_args();
    // One at a time: a copy that is being written while another test forks is
    // "Text file busy" as long as that child has it open.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What each of these programs does: says whether a child did its work.
fn spawn() -> Result<(), Box<dyn Error>> {
    let child = Process::spawn(|n: u64| (n * n, id()), 12)?;
    let pid = child.pid();
    println!("{}", child.join()? == (144, pid) && pid != id());
    Ok(())
}

fn deleted() -> Result<(), Box<dyn Error>> {
    fs::remove_file(env::current_exe()?)?;
    spawn()
}

fn replaced() -> Result<(), Box<dyn Error>> {
    let this = env::current_exe()?;
    fs::rename("/proc/self/cwd/other", &this)?;
    assert_eq!(fs::read(&this)?, b"another program");
    spawn()
}

/// A folder with a copy of this program.
fn copy() -> std::io::Result<(TempDir, PathBuf)> {
    let folder = TempDir::new()?;
    let copy = folder.path().join("copy");
    fs::copy(env::current_exe()?, &copy)?;
    Ok((folder, copy))
}

fn a_copy() -> Outcome {
    let (_folder, copy) = copy()?;
    assert_eq!(printed(helper::command_of(&copy, "spawn"))?, "true\n");
    Ok(())
}

fn a_link() -> Outcome {
    let folder = TempDir::new()?;
    let link = folder.path().join("link");
    symlink(env::current_exe()?, &link)?;
    assert_eq!(printed(helper::command_of(&link, "spawn"))?, "true\n");
    Ok(())
}

fn a_deleted_executable() -> Outcome {
    let (_folder, copy) = copy()?;
    assert_eq!(printed(helper::command_of(&copy, "deleted"))?, "true\n");
    assert!(!copy.exists());
    Ok(())
}

fn a_replaced_executable() -> Outcome {
    let (folder, copy) = copy()?;
    fs::write(folder.path().join("other"), "another program")?;
    let mut command = helper::command_of(&copy, "replaced");
    command.current_dir(folder.path());
    assert_eq!(printed(command)?, "true\n");
    Ok(())
}

fn a_stripped_executable() -> Outcome {
    let (_folder, copy) = copy()?;
    let before = fs::metadata(&copy)?.len();
    assert!(Command::new("strip").arg(&copy).status()?.success());
    assert!(fs::metadata(&copy)?.len() < before);
    assert_eq!(printed(helper::command_of(&copy, "spawn"))?, "true\n");
    Ok(())
}

/// Built on the side, with its own target folder, as the flags differ.
fn a_statically_linked_executable() -> Outcome {
    let this = env::current_exe()?; // target/debug/deps/spawn_executable-0123
    let target = this.ancestors().nth(3).unwrap_or(Path::new(".")).join("static");
    let host = host()?; // named, so that the flags are for the program alone
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--package", "multiprocessing-book", "--example", "spawn"]);
    cargo.args(["--target", &host, "--target-dir"]).arg(&target).current_dir(tests::root());
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    assert!(cargo.status()?.success());
    let program = target.join(host).join("debug/examples/spawn");
    let mut readelf = Command::new("readelf");
    readelf.arg("--program-headers").arg(&program);
    assert!(!printed(readelf)?.contains("INTERP"), "it is linked dynamically");
    let said = printed(Command::new(program))?;
    let expected = fs::read_to_string(tests::root().join("examples/spawn.out"))?;
    tests::compare::compare(&expected, &said, &Default::default())?;
    Ok(())
}

/// `x86_64-unknown-linux-gnu`
fn host() -> Result<String, libtest_mimic::Failed> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV");
    let text = printed(rustc)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc names no host")?.to_string())
}
