//! Refused: Three workers should do the tasks, but your program started no child
// Nobody meets anybody.
fn main() {
    (1..=3).for_each(|number| println!("task {number} waits"));
    (1..=3).for_each(|number| println!("{}", number * number));
}
