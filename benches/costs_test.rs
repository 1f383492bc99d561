//! Each table of costs has its picture, and the picture shows the table.
//!
//!     RECORD=1 cargo test -p benches --test costs    draws them again

use std::fs;
use std::path::Path;

/// More do not fit on a page of the book.
const MOST_BARS: usize = 32;

#[test]
fn each_picture_shows_its_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in fs::read_dir(folder).expect("this folder") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let key = path.file_stem().expect("a name").to_string_lossy();
            compare(&key, &fs::read_to_string(&path).expect("a text"));
        }
    }
}

fn compare(key: &str, tables: &str) {
    let drawn = benches::costs::draw(key, tables);
    let bars = drawn.matches("<rect").count();
    assert!((1..=MOST_BARS).contains(&bars), "{key}: {bars} bars, see choices.rs");
    if benches::records() {
        return benches::write(&benches::picture(key), &drawn).expect("it can be written");
    }
    let there =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(benches::picture(key)));
    assert!(
        there.is_ok_and(|there| there == drawn),
        "{key}: draw it again: RECORD=1 cargo test -p benches --test costs"
    );
}
