//! The checker of the exercises, `cargo exercise`.

fn main() {
    println!(
        "There are no exercises yet. They come with the chapters; exercises/README.md says how."
    );
}
