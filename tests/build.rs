//! Puts all answers to the exercises into one program: each file of `given`, `solutions` and
//! `wrong` becomes a module.

use std::fmt::Write;
use std::path::Path;
use std::{env, error, fs};

fn main() -> Result<(), Box<dyn error::Error>> {
    let (mut modules, mut names) = (String::new(), String::new());
    for kind in ["given", "solutions", "wrong"] {
        let folder = Path::new("../exercises").join(kind);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            let path = file.path();
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_stem().ok_or("a file has no name")?.to_string_lossy().into_owned();
            let code = fs::read_to_string(&path)?;
            // A module in a file has no inner attributes of its own.
            let is_inner = |line: &&str| line.starts_with("//!") || line.starts_with("#![");
            let code: Vec<_> = code.lines().filter(|line| !is_inner(line)).collect();
            writeln!(modules, "mod {kind}_{name} {{\n{}", code.join("\n"))?;
            writeln!(
                modules,
                "pub fn answer() -> std::process::ExitCode {{ std::process::Termination::report(main()) }}\n}}"
            )?;
            writeln!(
                names,
                "(\"{kind}/{name}\", {kind}_{name}::answer as fn() -> std::process::ExitCode),"
            )?;
        }
    }
    let all = format!(
        "{modules}\npub static ANSWERS: &[(&str, fn() -> std::process::ExitCode)] = &[{names}];\n"
    );
    fs::write(Path::new(&env::var("OUT_DIR")?).join("answers.rs"), all)?;
    Ok(())
}
